"""Two replicas of the service on one database, called from outside their event loop."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal

from services.stock.tests.conftest import running_shop
from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from httpx2 import Response

    from services.stock.tests.conftest import Shop
    from stockbuddy.chassis.testing.tokens import TestIssuer

SUPPLIER = 7
Request = tuple[str, str, Any]
"""Method, path and body."""


class Replicas:
    """Requests alternate between the replicas; those of `send_together` go to both concurrently."""

    def __init__(self, portal: BlockingPortal, shops: Sequence[Shop], database: asyncpg.Connection) -> None:
        self._portal = portal
        self._shops = shops
        self._database = database
        self._turns = itertools.cycle(range(len(shops)))
        self._names = itertools.count(1)

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Response:
        shop = self._shops[next(self._turns)]
        return self._portal.call(lambda: shop.admin.call(method, path, json=body, key=key))

    def send_together(self, requests: Sequence[Request]) -> list[Response]:
        async def send() -> list[Response]:
            return await asyncio.gather(
                *(
                    self._shops[n % len(self._shops)].admin.call(method, path, json=body)
                    for n, (method, path, body) in enumerate(requests)
                )
            )

        return self._portal.call(send)

    def product(self) -> int:
        product_id: int = self._portal.call(self._shops[0].product)
        return product_id

    def warehouse(self) -> int:
        warehouse_id: int = self._portal.call(self._shops[0].warehouse, f"W{next(self._names)}")
        return warehouse_id

    def execute(self, statement: str, *arguments: Any) -> None:
        self._portal.call(self._database.execute, statement, *arguments)

    def settle(self) -> None:
        """Wait until all committed events are published."""
        for shop in self._shops:
            self._portal.call(shop.wait_until_published)

    def published(self) -> list[tuple[str, str]]:
        """Type and id of every published event, repeated ones included."""
        return [(message.type, message.id) for shop in self._shops for message in shop.bus.published]

    def ledger_events(self, product_ids: set[int]) -> dict[str, list[dict[str, Any]]]:
        """The events of movements and levels of these products, by type."""
        found: dict[str, list[dict[str, Any]]] = {"stock.movement.posted": [], "stock.level.changed": []}
        for kind, events in found.items():
            for shop in self._shops:
                events += [event for event in shop.bus.events(kind) if event["product_id"] in product_ids]
        return found

    def document_events(self) -> Counter[str]:
        kinds = ("sale", "transfer", "reservation", "count", "purchase")
        return Counter(kind for kind, _ in self.published() if kind.split(".")[1] in kinds)


@contextmanager
def running_replicas(database_url: str, issuer: TestIssuer) -> Iterator[Replicas]:
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal("asyncio"))
        shops = [
            stack.enter_context(portal.wrap_async_context_manager(running_shop(database_url, issuer))) for _ in range(2)
        ]
        settings = {"search_path": "stock"}
        database = portal.call(lambda: asyncpg.connect(database_url, server_settings=settings))
        stack.callback(portal.call, database.close)
        portal.call(shops[0].deliver, SupplierCreated(supplier_id=SUPPLIER, version=1, name="Leaf & Co"))
        yield Replicas(portal, shops, database)
