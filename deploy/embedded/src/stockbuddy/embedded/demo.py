"""`python -m stockbuddy.embedded.demo`: a small made-up shop with a month of sales, for those who have no file.

The same shop every time: keys and numbers follow from a fixed seed, so that running it again changes nothing.
"""

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from stockbuddy.embedded.client import Answer, Client, NoAccount, NotAnswering, connected

SEED = 7
DAYS = 30
SALES_A_DAY = 12
OPENING_QUANTITY = 400
GOODS: dict[str, list[tuple[str, str]]] = {
    "Kitchen": [
        ("Mug, white", "7.50"),
        ("Teapot, cast iron", "39.00"),
        ("Bread knife", "24.90"),
        ("Tea towel", "6.20"),
    ],
    "Garden": [
        ("Watering can, 5 l", "14.95"),
        ("Twine, green", "3.10"),
        ("Seed box", "18.00"),
        ("Gloves, leather", "12.40"),
    ],
    "Paper": [("Notebook, A5", "4.80"), ("Wrapping paper", "2.60"), ("Pencil, HB", "0.90"), ("Postcard", "1.20")],
    "Light": [
        ("Candle, beeswax", "8.30"),
        ("Lantern, zinc", "27.50"),
        ("Match holder", "9.90"),
        ("Fairy lights", "16.00"),
    ],
}


class Refused(Exception):
    """The system refused a part of the demonstration."""


class Shop:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._random = random.Random(SEED)
        self._skus: list[str] = []
        self.sales = 0
        self.revenue = Decimal()

    async def open(self) -> None:
        """Products with opening stock; the rare ones run low before the month is over."""
        for category, goods in GOODS.items():
            for number, (name, price) in enumerate(goods, start=1):
                sku = f"{category[:3].upper()}-{number:03}"
                body = {
                    "sku": sku,
                    "name": name,
                    "unit_price": price,
                    "cost_price": str((Decimal(price) * Decimal("0.55")).quantize(Decimal("0.01"))),
                    "category": category,
                    "low_stock_threshold": 20,
                    "quantity": OPENING_QUANTITY // number,
                }
                await self._post("/products", body, f"product:{sku}", known=409)
                self._skus.append(sku)

    async def sell(self) -> None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for day in range(DAYS):
            for number in range(SALES_A_DAY):
                moment = today - timedelta(days=DAYS - day) + timedelta(hours=9, minutes=40 * number)
                lines = [
                    {"sku": sku, "quantity": self._random.choice((1, 1, 1, 2, 3))}
                    for sku in self._random.sample(self._skus, self._random.choice((1, 2, 3)))
                ]
                body = {"occurred_at": moment.isoformat(), "payment_method": "card", "lines": lines}
                answer = await self._post("/sales", body, f"sale:{day}:{number}", known=409)
                if answer.accepted:
                    self.sales += 1
                    self.revenue += Decimal(answer.body["total"])

    async def _post(self, path: str, body: dict[str, Any], key: str, *, known: int) -> Answer:
        """Raises Refused for any refusal but `known`."""
        answer = await self._client.post(path, body, key=f"demo:{key}")
        if not answer.accepted and answer.status != known:
            raise Refused(f"{path}: {answer.body}")
        return answer


async def _demo() -> None:
    async with connected(1) as client:
        shop = Shop(client)
        await shop.open()
        await shop.sell()
        print(
            f"{sum(map(len, GOODS.values()))} products, {shop.sales} sales in {DAYS} days, {shop.revenue:,.2f} revenue."
        )


def main() -> int:
    try:
        asyncio.run(_demo())
    except (NotAnswering, NoAccount, Refused) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
