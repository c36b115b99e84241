"""Inventory reports, against a simple model over many random movements."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from stockbuddy.chassis.access.roles import Role

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

BEGIN = datetime(2026, 1, 1, 8, tzinfo=UTC)
STEP = Decimal("0.0001")


class Shelf:
    """A level with its receipts, computed in the simplest way, without any rounding."""

    def __init__(self) -> None:
        self.on_hand = Decimal(0)
        self.value = Fraction(0)
        self.layers: list[list[Any]] = []

    def take_in(self, quantity: Decimal, cost: Decimal, at: datetime) -> None:
        self.value += Fraction(quantity) * Fraction(cost)
        self.on_hand += quantity
        self.layers.append([quantity, cost, at])

    def give(self, quantity: Decimal) -> None:
        self.value -= self.value * Fraction(quantity) / Fraction(self.on_hand)
        self.on_hand -= quantity
        while quantity:
            part = min(quantity, self.layers[0][0])
            self.layers[0][0] -= part
            quantity -= part
            if not self.layers[0][0]:
                self.layers.pop(0)

    def worth(self, method: str) -> Decimal:
        layers = sum((Fraction(quantity) * Fraction(cost) for quantity, cost, _ in self.layers), Fraction(0))
        value = self.value if method == "average" else layers
        return (Decimal(value.numerator) / value.denominator).quantize(STEP, ROUND_HALF_UP)


def number(value: Any) -> Decimal:
    return Decimal(str(value))


async def report(shop: Shop, name: str, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await shop.caller(5, Role.MANAGER).get(f"/reports/{name}", **parameters)
    return answer


def worth_by_product(answer: dict[str, Any]) -> dict[int, Decimal]:
    return {row["product_id"]: number(row["value"]) for row in answer["rows"]}


async def test_valuation_by_both_methods_equals_model(shop: Shop) -> None:
    chance = random.Random(11)
    products = [await shop.product() for _ in range(4)]
    shelves = {product: Shelf() for product in products}
    history: list[tuple[datetime, dict[str, dict[int, Decimal]]]] = []
    for hour in range(60):
        at = BEGIN + timedelta(hours=hour)
        product = chance.choice(products)
        shelf = shelves[product]
        if chance.random() < 0.6 or not shelf.on_hand:
            quantity, cost = Decimal(chance.randint(1, 9000)) / 1000, Decimal(chance.randint(1, 90000)) / 10000
            shelf.take_in(quantity, cost, at)
            body = {"movement_type": "purchase", "quantity": float(quantity), "unit_cost": str(cost)}
        else:
            quantity = (shelf.on_hand * chance.randint(1, 100) / 100).quantize(Decimal("0.001"))
            if not quantity:
                continue
            shelf.give(quantity)
            body = {"movement_type": chance.choice(["out", "damaged"]), "quantity": float(quantity)}
        await shop.admin.post("/stock-movements", {"product_id": product, "occurred_at": at.isoformat(), **body})
        held = {p: s for p, s in shelves.items() if s.on_hand}
        history.append((at, {m: {p: s.worth(m) for p, s in held.items()} for m in ("average", "fifo")}))
    for method in ("average", "fifo"):
        now = await report(shop, "inventory-valuation", method=method)
        assert worth_by_product(now) == history[-1][1][method]
        difference = number(now["totals"]["value"]) - sum(history[-1][1][method].values())
        assert abs(difference) <= STEP * len(products)
        for at, worth in chance.sample(history, 12):
            then = await report(shop, "inventory-valuation", method=method, as_of=at.isoformat())
            assert worth_by_product(then) == worth[method], (method, at)


async def test_valuation_excludes_reversed_receipts(shop: Shop) -> None:
    tea = await shop.product()
    purchases = [{"quantity": 10, "unit_cost": "1"}, {"quantity": 10, "unit_cost": "9"}]
    wrong = [
        await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "purchase", **p})
        for p in purchases
    ]
    await shop.admin.post(f"/stock-movements/{wrong[1]['id']}/reverse")
    for method in ("average", "fifo"):
        answer = await report(shop, "inventory-valuation", method=method)
        assert [(row["quantity"], row["value"]) for row in answer["rows"]] == [(10, "10.00")]


async def test_valuation_ignores_reversed_issues(shop: Shop) -> None:
    """The returned quantity keeps the age and cost of its receipts."""
    tea = await shop.product()
    for days, cost in ((100, "1"), (50, "9")):
        at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        body = {"product_id": tea, "movement_type": "purchase", "quantity": 10, "unit_cost": cost, "occurred_at": at}
        await shop.admin.post("/stock-movements", body)
    lost = await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "damaged", "quantity": 12})
    await shop.admin.post(f"/stock-movements/{lost['id']}/reverse")
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 12})
    await shop.admin.post(f"/sales/{sale['id']}/void")
    answer = await report(shop, "inventory-valuation", method="fifo")
    assert answer["totals"] == {"quantity": 20, "value": "100.00"}
    [row] = (await report(shop, "stock-aging"))["rows"]
    assert (row["days_0_30"], row["days_31_60"], row["days_91_180"], row["oldest_days"]) == (0, 10, 10, 100)


async def test_valuation_with_filters_reports_them(shop: Shop) -> None:
    north = await shop.warehouse("NORTH")
    tea = await shop.product(4, sku="TEA", category="Drinks", category_id=1, cost_price="2.50")
    await shop.product(1, sku="CUP", category="China", category_id=2, cost_price="3")
    body = {"product_id": tea, "warehouse_id": north, "movement_type": "in", "quantity": 2, "unit_cost": "5"}
    await shop.admin.post("/stock-movements", body)
    everything = await report(shop, "inventory-valuation")
    assert [
        (row["sku"], row["warehouse"], row["quantity"], row["unit_cost"], row["value"]) for row in everything["rows"]
    ] == [
        ("CUP", "MAIN", 1, "3.00", "3.00"),
        ("TEA", "MAIN", 4, "2.50", "10.00"),
        ("TEA", "NORTH", 2, "5.00", "10.00"),
    ]
    assert everything["totals"] == {"quantity": 7, "value": "23.00"}
    assert (everything["report"], everything["parameters"]) == ("inventory-valuation", {"method": "average"})
    assert (await report(shop, "inventory-valuation", warehouse_id=north))["totals"]["value"] == "10.00"
    drinks = await report(shop, "inventory-valuation", category="drinks", method="fifo")
    assert drinks["totals"] == {"quantity": 6, "value": "20.00"}
    assert (await report(shop, "inventory-valuation", as_of="2020-01-01"))["rows"] == []


async def test_valuation_as_of_date_includes_whole_local_day(shop: Shop) -> None:
    tea = await shop.product()
    for moment in ("2026-01-10T22:30:00Z", "2026-01-10T23:30:00Z"):
        body = {"product_id": tea, "movement_type": "in", "quantity": 1, "unit_cost": "1", "occurred_at": moment}
        await shop.admin.post("/stock-movements", body)
    for tz, quantity in (("UTC", 2), ("Europe/Berlin", 1)):
        answer = await report(shop, "inventory-valuation", as_of="2026-01-10", tz=tz)
        assert answer["totals"]["quantity"] == quantity, tz


async def test_stock_aging_counts_days_since_receipt(shop: Shop) -> None:
    tea = await shop.product(sku="TEA")
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    for days, quantity in ((200, 5), (100, 4), (45, 3), (2, 2)):
        at = (now - timedelta(days=days)).isoformat()
        body = {
            "product_id": tea,
            "movement_type": "purchase",
            "quantity": quantity,
            "unit_cost": "2",
            "occurred_at": at,
        }
        await shop.admin.post("/stock-movements", body)
    sold = {
        "product_id": tea,
        "movement_type": "out",
        "quantity": 6.5,
        "occurred_at": (now - timedelta(days=1)).isoformat(),
    }
    await shop.admin.post("/stock-movements", sold)
    [row] = (await report(shop, "stock-aging", as_of=now.isoformat()))["rows"]
    ages = {name: row[name] for name in row if name.startswith("days_")}
    assert ages == {"days_0_30": 2, "days_31_60": 3, "days_61_90": 0, "days_91_180": 2.5, "days_over_180": 0}
    assert (row["quantity"], row["oldest_days"], row["value"]) == (7.5, 100, "15.00")


async def test_dead_stock_contains_products_without_sales(shop: Shop) -> None:
    now = datetime.now(UTC)
    products = {name: await shop.product(sku=name) for name in ("DEAD", "NEVER", "SOLD", "NEW", "GONE")}

    async def move(name: str, kind: str, quantity: int, days: int) -> None:
        at = (now - timedelta(days=days)).isoformat()
        body = {
            "product_id": products[name],
            "movement_type": kind,
            "quantity": quantity,
            "occurred_at": at,
            "unit_cost": "2",
        }
        await shop.admin.post("/stock-movements", body)

    for name in ("DEAD", "NEVER", "SOLD", "GONE"):
        await move(name, "in", 9, 200)
    await move("NEW", "in", 9, 10)
    await move("DEAD", "sale", 2, 100)
    await move("SOLD", "sale", 2, 100)
    await move("SOLD", "sale", 1, 5)
    await move("GONE", "sale", 9, 150)
    answer = await report(shop, "dead-stock")
    assert [(row["sku"], row["quantity"], row["value"], row["idle_days"]) for row in answer["rows"]] == [
        ("NEVER", 9, "18.00", 200),
        ("DEAD", 7, "14.00", 100),
    ]
    assert (await report(shop, "dead-stock", days=150))["rows"][0]["last_sold_at"] is None
    assert [row["sku"] for row in (await report(shop, "dead-stock", days=4))["rows"]] == [
        "NEVER",
        "NEW",
        "DEAD",
        "SOLD",
    ]
