"""`python -m stockbuddy.embedded.demo`: creates sample data, a small shop with a month of sales.

Keys and quantities follow from a fixed seed, so that a second run changes nothing.
"""

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from stockbuddy.embedded.api_client import ApiClient, ApiResponse, ApiUnavailable, LoginFailed, connect

SEED = 7
DAYS = 30
SALES_PER_DAY = 12
OPENING_QUANTITY = 400
PRODUCTS: dict[str, list[tuple[str, str]]] = {
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


class DemoFailed(Exception):
    """The API rejected a request of the demo."""


class SampleShop:
    """Creates products and sales; counts the sales that it created."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._random = random.Random(SEED)
        self._skus: list[str] = []
        self.sales = 0
        self.revenue = Decimal()

    async def create_products(self) -> None:
        """Products with opening stock; the last ones of a category run low within the month."""
        for category, products in PRODUCTS.items():
            for number, (name, price) in enumerate(products, start=1):
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
                await self._post("/products", body, f"product:{sku}", existing=409)
                self._skus.append(sku)

    async def create_sales(self) -> None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for day in range(DAYS):
            for number in range(SALES_PER_DAY):
                moment = today - timedelta(days=DAYS - day) + timedelta(hours=9, minutes=40 * number)
                lines = [
                    {"sku": sku, "quantity": self._random.choice((1, 1, 1, 2, 3))}
                    for sku in self._random.sample(self._skus, self._random.choice((1, 2, 3)))
                ]
                body = {"occurred_at": moment.isoformat(), "payment_method": "card", "lines": lines}
                response = await self._post("/sales", body, f"sale:{day}:{number}", existing=409)
                if response.accepted:
                    self.sales += 1
                    self.revenue += Decimal(response.body["total"])

    async def _post(self, path: str, body: dict[str, Any], key: str, *, existing: int) -> ApiResponse:
        """Raises DemoFailed for any rejection but `existing`, the status of a repetition."""
        response = await self._client.post(path, body, key=f"demo:{key}")
        if not response.accepted and response.status != existing:
            raise DemoFailed(f"{path}: {response.body}")
        return response


async def _create_shop() -> None:
    async with connect(1) as client:
        shop = SampleShop(client)
        await shop.create_products()
        await shop.create_sales()
        count = sum(map(len, PRODUCTS.values()))
        print(f"{count} products, {shop.sales} sales in {DAYS} days, {shop.revenue:,.2f} revenue.")


def main() -> int:
    try:
        asyncio.run(_create_shop())
    except (ApiUnavailable, LoginFailed, DemoFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
