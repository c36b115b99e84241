"""The demo shop's history as requests in the order of time; the same plan for the same end."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stockbuddy.embedded.demo.assortment import BRANCH, CUSTOMERS, PRODUCTS, STORE

SEED = 7
DAYS = 30
"""Of sales, the last of which is today."""
OPENING_DAYS_AGO = 35
OPENING_HOUR, CLOSING_HOUR = 9, 18
WEEKDAY_SALES = (9, 8, 10, 11, 14, 18, 0)
"""From Monday to Sunday, when the shop is closed."""
SALES_TODAY = 6
MINUTES_UNTIL_RETURN = 26 * 60


@dataclass(frozen=True, slots=True)
class PlannedSale:
    """`returned`: units of the first line that come back, at `return_at`; `restock`: whether they can be sold again."""

    number: int
    body: dict[str, Any]
    returned: int = 0
    return_at: datetime | None = None
    restock: bool = True


def plan_opening_stock(end: datetime) -> list[dict[str, Any]]:
    """One movement for each product in each warehouse, before the first sale."""
    moment = day_before(end, OPENING_DAYS_AGO).isoformat()
    return [
        {
            "sku": product.sku,
            "warehouse_code": warehouse,
            "movement_type": "in",
            "quantity": quantity,
            "unit_cost": str(product.cost),
            "reference_number": "opening stock",
            "occurred_at": moment,
        }
        for product in PRODUCTS
        for warehouse, quantity in zip((STORE, BRANCH), product.stock, strict=True)
        if quantity
    ]


def plan_sales(end: datetime) -> Iterator[PlannedSale]:
    """In the order of time, up to `end`, the moment of the first run in the shop's time zone."""
    generator = random.Random(SEED)
    for number, moment in enumerate(_moments_of_sales(end), start=1):
        body = {"occurred_at": moment.isoformat(), "reference": f"DEMO-{number:04}", **_basket(generator)}
        returns = number % 23 == 0 and moment + timedelta(minutes=MINUTES_UNTIL_RETURN) < end
        return_at = moment + timedelta(minutes=MINUTES_UNTIL_RETURN) if returns else None
        yield PlannedSale(number, body, int(returns), return_at, restock=number % 46 != 0)


def day_before(end: datetime, days: int) -> datetime:
    """The time of opening, that many days before the day of `end`."""
    return (end - timedelta(days=days)).replace(hour=OPENING_HOUR, minute=0, second=0, microsecond=0)


def _moments_of_sales(end: datetime) -> Iterator[datetime]:
    for days in range(DAYS - 1, 0, -1):
        opening = day_before(end, days)
        count = WEEKDAY_SALES[opening.weekday()]
        for number in range(count):
            yield opening + timedelta(hours=CLOSING_HOUR - OPENING_HOUR) * number / count
    midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(1, SALES_TODAY + 1):  # also on a Sunday, and just after midnight
        yield midnight + (end - midnight) * number / (SALES_TODAY + 1)


def _basket(generator: random.Random) -> dict[str, Any]:
    """The lines, the warehouse and the customer of a sale; the branch sells what it has opening stock of."""
    warehouse = generator.choices((STORE, BRANCH), (5, 1))[0]
    sold = [product for product in PRODUCTS if product.popularity and (warehouse == STORE or product.stock[1])]
    chosen = generator.choices(sold, [product.popularity for product in sold], k=generator.choice((1, 1, 2, 3)))
    lines = [{"sku": sku, "quantity": generator.choice((1, 1, 1, 2))} for sku in dict.fromkeys(p.sku for p in chosen)]
    customer = generator.choice(CUSTOMERS)[0] if generator.random() < 0.2 else None
    payment = generator.choice(("card", "card", "cash"))
    body: dict[str, Any] = {"lines": lines, "warehouse_code": warehouse, "payment_method": payment}
    return body | ({"customer": customer} if customer else {})
