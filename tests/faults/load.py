"""A mixed load through the gateway: tills that sell, receive goods and take up products, each act under a key of its
own and repeated until it is answered; and what was told to whom, for the reckoning."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from stockbuddy.embedded.client import Client

PRODUCTS = 12
OPENING = 100_000
TILLS = 6
PAUSE_SECONDS = 0.02
TAKEN_UP_WITH = 5


@dataclass
class Tally:
    """`acknowledged` holds the acts that were answered with success, by their reference: units in (+) or out (-)."""

    attempted: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


class Load:
    """`name` is a prefix of every reference, so that the reckoning of one fault sees nothing of another's."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._random = random.Random(name)
        self._ended = asyncio.Event()
        self._products: list[int] = []
        self.name = name
        self.tally = Tally()

    async def open(self) -> None:
        """Products with stock to sell."""
        for number in range(PRODUCTS):
            sku = f"{self.name}-{number}"
            body = {"sku": sku, "name": sku, "unit_price": "10.00", "cost_price": "4.00"}
            made = await self._client.post("/products", body, key=f"open:{sku}")
            assert made.accepted, made.body
            self._products.append(made.body["id"])
        movements = [{**self._purchase(product, OPENING), "reference_number": None} for product in self._products]
        opened = await self._client.post("/stock-movements/batch", {"movements": movements}, key=f"open:{self.name}")
        assert opened.accepted, opened.body

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """At the end every till has its last answer."""
        tills = [asyncio.create_task(self._till(number)) for number in range(TILLS)]
        try:
            yield
        finally:
            self._ended.set()
            await asyncio.gather(*tills)

    async def until_acknowledged(self, more: int) -> None:
        """Wait for that many more acts to be answered."""
        wanted = len(self.tally.acknowledged) + more
        while len(self.tally.acknowledged) < wanted:
            await asyncio.sleep(0.02)

    async def _till(self, number: int) -> None:
        act = 0
        while not self._ended.is_set():
            act += 1
            reference = f"{self.name}:{number}:{act}"
            await self._random.choices((self.sell, self._receive, self._take_up), (75, 20, 5))[0](reference)
            await asyncio.sleep(PAUSE_SECONDS)

    async def sell(self, reference: str) -> None:
        products = self._random.sample(self._products, self._random.randint(1, 3))
        lines = [{"product_id": product, "quantity": self._random.randint(1, 3)} for product in products]
        units = -sum(line["quantity"] for line in lines)
        await self._act("/sales", {"lines": lines, "reference": reference}, reference, units)

    async def _receive(self, reference: str) -> None:
        units = self._random.randint(1, 20)
        body = {**self._purchase(self._random.choice(self._products), units), "reference_number": reference}
        await self._act("/stock-movements", body, reference, units)

    async def _take_up(self, reference: str) -> None:
        """Its opening stock reaches the ledger as an event."""
        body = {"sku": reference, "name": reference, "unit_price": "1.00", "quantity": TAKEN_UP_WITH}
        await self._act("/products", body, reference, TAKEN_UP_WITH)

    def _purchase(self, product_id: int, units: int) -> dict[str, Any]:
        return {
            "product_id": product_id,
            "warehouse_code": "MAIN",
            "movement_type": "purchase",
            "quantity": units,
            "unit_cost": "4.00",
        }

    async def _act(self, path: str, body: dict[str, Any], reference: str, units: int) -> None:
        self.tally.attempted += 1
        answer = await self._client.post(path, body, key=reference)
        if answer.accepted:
            self.tally.acknowledged[reference] = units
        else:
            self.tally.refused.append(f"{path} {answer.status} {answer.code}")
