"""Reads after each write, which must contain it whatever responses the replicas of stock keep."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from stockbuddy.embedded.api_client import ApiClient
from tests.faults.deployment import Deployment
from tests.faults.load import without_retries

WRITES = 25


class Shopkeeper:
    """Posts receipts of a product that the load does not move, and reads it after each. Requests are not repeated."""

    def __init__(self, client: ApiClient, product_id: int) -> None:
        self._client = client
        self._product_id = product_id
        self.receipts = 1
        self.stale = 0
        """Reads without the last receipt."""

    @classmethod
    async def hired(cls, deployment: Deployment) -> "Shopkeeper":
        """With the first receipt, once stock knows the product."""
        product = {"sku": "CACHED", "name": "Tea", "unit_price": "9"}
        created = await deployment.client.post("/products", product, key="cached")
        first = await deployment.client.post_replicated("/stock-movements", _receipt(created.body["id"]), key="first")
        assert first.accepted, first.body
        return cls(await without_retries(deployment.client), created.body["id"])

    async def work(self) -> None:
        for _ in range(WRITES):
            await self._post_and_read()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work during the block."""
        stopping = asyncio.Event()

        async def work() -> None:
            while not stopping.is_set():
                await self._post_and_read()

        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            try:
                yield
            finally:
                stopping.set()

    async def _post_and_read(self) -> None:
        self.receipts += 1
        key = f"{self._product_id}:{self.receipts}"
        posted = await self._client.post("/stock-movements", _receipt(self._product_id), key=key)
        assert posted.accepted, posted.body
        for _ in range(3):  # by either replica; the first fills the cache
            await self._read()

    async def _read(self) -> None:
        movements = await self._client.get("/stock-movements", product_id=self._product_id, page_size=1)
        report = await self._client.get("/reports/inventory-valuation")
        assert (movements.status, report.status) == (200, 200), (movements.body, report.body)
        [row] = [row for row in report.body["rows"] if row["product_id"] == self._product_id]
        self.stale += (movements.body["total"], row["quantity"]) != (self.receipts, self.receipts * 2)


def _receipt(product_id: int) -> dict[str, object]:
    return {"product_id": product_id, "movement_type": "purchase", "quantity": 2, "unit_cost": "1"}
