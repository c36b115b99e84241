"""Finds the products that a request refers to, one query for all concurrent requests."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database, driver_connection
from stockbuddy.stock.errors import UnknownProduct
from stockbuddy.stock.replicas.products.model import ProductReference, ProductReplica
from stockbuddy.stock.replicas.products.queries import find_deleted_products, find_products
from stockbuddy.stock.replicas.waiter import ReplicaWaiter

_Products = dict[ProductReference, ProductReplica]
_Request = tuple[frozenset[ProductReference], asyncio.Future[_Products]]


class ProductLookup:
    """Waits up to 2 s for a product that does not exist yet, because its event may still be on its way. `session`: the
    caller's transaction, if it has begun. It is used then, because a request with two connections may wait for the
    second one while others with one wait for theirs."""

    def __init__(self, database: Database, waiter: ReplicaWaiter) -> None:
        self._database = database
        self._waiter = waiter
        self._requests: list[_Request] = []
        self._worker: asyncio.Task[None] | None = None

    async def find(
        self,
        references: Sequence[ProductReference],
        *,
        include_deleted: Collection[int] = (),
        at: datetime | None = None,
        session: AsyncSession | None = None,
    ) -> _Products:
        """The products that exist, by reference; deleted ones only if their id is in `include_deleted`, or if they
        existed at `at`."""
        wanted = frozenset(references)
        products = await self._waiter.fetch_until(wanted.issubset, lambda: self._query(wanted, session))
        return {
            key: products[key]
            for key in wanted
            if key in products and (products[key].existed(at) or key in include_deleted)
        }

    async def load(
        self,
        references: Sequence[ProductReference],
        *,
        include_deleted: Collection[int] = (),
        at: datetime | None = None,
        session: AsyncSession | None = None,
    ) -> _Products:
        """All of the products, by reference. `include_deleted`: the ids in a document that is to be completed, although
        a product of it was deleted; `at`: when the document occurred, if not now. Raises UnknownProduct."""
        products = await self.find(references, include_deleted=include_deleted, at=at, session=session)
        missing = [reference for reference in references if reference not in products]
        if at is not None and missing:
            async with self._database.raw() as connection:
                products |= await find_deleted_products(connection, missing, at)
            missing = [reference for reference in references if reference not in products]
        if missing:
            raise UnknownProduct(list(dict.fromkeys(missing)))
        return products

    async def load_one(self, reference: ProductReference, *, session: AsyncSession | None = None) -> ProductReplica:
        """Raises UnknownProduct."""
        return (await self.load([reference], session=session))[reference]

    async def _query(self, references: frozenset[ProductReference], session: AsyncSession | None) -> _Products:
        if session is not None:
            return await find_products(await driver_connection(session), references)
        future: asyncio.Future[_Products] = asyncio.get_running_loop().create_future()
        self._requests.append((references, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._serve_requests())
        return await future

    async def _serve_requests(self) -> None:
        """Serve requests on one connection until none is waiting."""
        while self._requests:
            served: list[_Request] = []
            try:
                async with self._database.raw() as connection:
                    while self._requests:
                        served, self._requests = self._requests, []
                        products = await find_products(connection, frozenset().union(*(keys for keys, _ in served)))
                        for future in _pending(served):
                            future.set_result(products)
            except Exception as error:
                if not served:
                    # No connection was obtained, so no request was taken from the queue: fail those that wait.
                    served, self._requests = self._requests, []
                for future in _pending(served):
                    future.set_exception(error)


def _pending(requests: Sequence[_Request]) -> list[asyncio.Future[_Products]]:
    return [future for _, future in requests if not future.done()]
