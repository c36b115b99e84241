"""A mixed load through the gateway: tills create sales, post purchases and create products. Each request has its own
idempotency key and is repeated until there is a response; the log of responses is verified afterwards."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stockbuddy.embedded.api_client import ApiClient, ApiResponse

PRODUCTS = 12
OPENING_QUANTITY = 100_000
TILLS = 6
REQUEST_INTERVAL_SECONDS = 0.02
QUANTITY_OF_NEW_PRODUCT = 5


@dataclass
class RequestLog:
    """`acknowledged`: reference of each accepted request → units in (+) or out (-)."""

    attempted: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)


class ClientWithoutRetries(ApiClient):
    """A transient failure fails the test."""

    async def _request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> ApiResponse:
        return await self._request_once(method, path, body, headers, query)


async def without_retries(client: ApiClient) -> ApiClient:
    """Another client of the same user."""
    strict = ClientWithoutRetries(client._http, client._username, client._password)
    await strict.log_in()
    return strict


class Load:
    """`name` is a prefix of every reference, so that each load is verified on its own."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self._client = client
        self._random = random.Random(name)
        self._stopping = asyncio.Event()
        self._products: list[int] = []
        self.name = name
        self.log = RequestLog()

    async def create_products(self) -> None:
        """Create products with stock to sell."""
        for number in range(PRODUCTS):
            sku = f"{self.name}-{number}"
            body = {"sku": sku, "name": sku, "unit_price": "10.00", "cost_price": "4.00"}
            created = await self._client.post("/products", body, key=f"create:{sku}")
            assert created.accepted, created.body
            self._products.append(created.body["id"])
        movements = [
            {**self._purchase(product, OPENING_QUANTITY), "reference_number": None} for product in self._products
        ]
        posted = await self._client.post("/stock-movements/batch", {"movements": movements}, key=f"stock:{self.name}")
        assert posted.accepted, posted.body

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the tills during the block, then wait for their last responses."""
        tills = [asyncio.create_task(self._till(number)) for number in range(TILLS)]
        try:
            yield
        finally:
            self._stopping.set()
            await asyncio.gather(*tills)

    async def wait_until_acknowledged(self, more: int) -> None:
        """Wait until that many more requests have been accepted."""
        target = len(self.log.acknowledged) + more
        while len(self.log.acknowledged) < target:
            await asyncio.sleep(0.02)

    async def _till(self, number: int) -> None:
        count = 0
        while not self._stopping.is_set():
            count += 1
            reference = f"{self.name}:{number}:{count}"
            await self._random.choices((self._create_sale, self._post_purchase, self._create_product), (75, 20, 5))[0](
                reference
            )
            await asyncio.sleep(REQUEST_INTERVAL_SECONDS)

    async def _create_sale(self, reference: str) -> None:
        products = self._random.sample(self._products, self._random.randint(1, 3))
        lines = [{"product_id": product, "quantity": self._random.randint(1, 3)} for product in products]
        units = -sum(line["quantity"] for line in lines)
        await self._post("/sales", {"lines": lines, "reference": reference}, reference, units)

    async def _post_purchase(self, reference: str) -> None:
        units = self._random.randint(1, 20)
        body = {**self._purchase(self._random.choice(self._products), units), "reference_number": reference}
        await self._post("/stock-movements", body, reference, units)

    async def _create_product(self, reference: str) -> None:
        """The opening stock reaches the ledger by an event."""
        body = {"sku": reference, "name": reference, "unit_price": "1.00", "quantity": QUANTITY_OF_NEW_PRODUCT}
        await self._post("/products", body, reference, QUANTITY_OF_NEW_PRODUCT)

    def _purchase(self, product_id: int, units: int) -> dict[str, Any]:
        return {
            "product_id": product_id,
            "warehouse_code": "MAIN",
            "movement_type": "purchase",
            "quantity": units,
            "unit_cost": "4.00",
        }

    async def _post(self, path: str, body: dict[str, Any], reference: str, units: int) -> None:
        self.log.attempted += 1
        response = await self._client.post(path, body, key=reference)
        if response.accepted:
            self.log.acknowledged[reference] = units
        else:
            self.log.rejected.append(f"{path} {response.status} {response.code}")
