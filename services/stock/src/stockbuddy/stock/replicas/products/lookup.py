"""Finds the products that documents name: one query for all requests that wait, and patience with fresh products."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.errors import UnknownProduct
from stockbuddy.stock.replicas.signals import ARRIVALS
from stockbuddy.stock.replicas.products.queries import ProductReplica, find_products

PATIENCE_SECONDS = 2.0
POLL_SECONDS = 0.05
"""Another replica may be the one that hears of the product."""

ProductReference = int | str
"""An id or a SKU; SKUs are the same whatever their case."""

_Answer = asyncio.Future[dict[ProductReference, ProductReplica]]
_Asked = tuple[frozenset[ProductReference], _Answer]


class ProductLookup:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[_Asked] = []
        self._worker: asyncio.Task[None] | None = None

    async def find_existing(self, references: Sequence[ProductReference]) -> dict[ProductReference, ProductReplica]:
        """Those that exist, by reference; waits at most 2 s for any that does not yet."""
        wanted = frozenset(references)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            known = await self._ask(wanted)
            remaining = deadline - time.monotonic()
            if wanted <= known.keys() or remaining <= 0:
                return {key: known[key] for key in wanted if key in known and not known[key].deleted}
            await ARRIVALS.wait(min(POLL_SECONDS, remaining))

    async def find(self, references: Sequence[ProductReference]) -> dict[ProductReference, ProductReplica]:
        """All of them. Raises UnknownProduct."""
        known = await self.find_existing(references)
        if missing := [reference for reference in references if reference not in known]:
            raise UnknownProduct(list(dict.fromkeys(missing)))
        return known

    async def _ask(self, keys: frozenset[ProductReference]) -> dict[ProductReference, ProductReplica]:
        future: _Answer = asyncio.get_running_loop().create_future()
        self._asked.append((keys, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        """On one connection, as long as somebody asks."""
        while self._asked:
            asked: list[_Asked] = []
            try:
                async with self._database.raw() as connection:
                    while self._asked:
                        asked, self._asked = self._asked, []
                        known = await _read(connection, frozenset().union(*(keys for keys, _ in asked)))
                        for future in _waiting(asked):
                            future.set_result(known)
            except Exception as error:
                if not asked:
                    # No connection: nobody's question has been put.
                    asked, self._asked = self._asked, []
                for future in _waiting(asked):
                    future.set_exception(error)


async def _read(
    connection: asyncpg.Connection, keys: frozenset[ProductReference]
) -> dict[ProductReference, ProductReplica]:
    ids = [key for key in keys if isinstance(key, int)]
    skus = [key for key in keys if isinstance(key, str)]
    return await find_products(connection, ids, skus)


def _waiting(asked: Sequence[_Asked]) -> list[_Answer]:
    return [future for _, future in asked if not future.done()]
