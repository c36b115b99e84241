"""Reports of what lies there: its worth, its age, what it did, and what of it nobody wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.stock.insights.reports import queries
from stockbuddy.stock.insights.reports.period import Period
from stockbuddy.stock.insights.reports.table import Column, Table, money, quantity, table

MOST_MOVEMENTS = 100_000
_RATIO_STEP = Decimal("0.001")
_EXACT = Context(prec=60)
_PRODUCT = (Column("product_id", "integer"), Column("sku"), Column("name"))
_TYPES = ("purchase", "return", "transfer_in", "in", "sale", "damaged", "transfer_out", "out", "adjustment")

MovementGrouping = Literal["product", "category", "warehouse", "none"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of the stock a report is about; null is everything."""

    warehouse_id: int | None
    category: str | None

    def parameters(self) -> dict[str, Any]:
        return {"warehouse_id": self.warehouse_id, "category": self.category}


async def value_inventory(
    session: AsyncSession, chosen: Chosen, method: Literal["average", "fifo"], as_of: datetime | None
) -> Table:
    """At the moving average, or as if what came first had gone first."""
    columns = (
        *_PRODUCT,
        Column("category"),
        Column("warehouse"),
        quantity("quantity"),
        Column("unit_cost", "money"),
        money("value"),
    )
    rows = await queries.fetch_valuation(session, method, as_of, **chosen.parameters())
    return table("inventory-valuation", {"method": method, "as_of": as_of} | chosen.parameters(), columns, rows)


async def age_stock(session: AsyncSession, chosen: Chosen, as_of: datetime | None) -> Table:
    """How long what lies there has been there, as if what came first had gone first."""
    columns = (
        *_PRODUCT,
        Column("category"),
        Column("warehouse"),
        *(
            quantity(name)
            for name in ("quantity", "days_0_30", "days_31_60", "days_61_90", "days_91_180", "days_over_180")
        ),
        Column("oldest_days", "integer"),
        money("value"),
    )
    rows = await queries.fetch_aging(session, as_of, as_of or datetime.now(UTC), **chosen.parameters())
    return table("stock-aging", {"as_of": as_of} | chosen.parameters(), columns, rows)


async def find_dead_stock(session: AsyncSession, chosen: Chosen, days: int) -> Table:
    """What has not been sold (or else taken out) for that many days, or ever since it first came."""
    columns = (
        *_PRODUCT,
        Column("category"),
        quantity("quantity"),
        money("value"),
        Column("last_sold_at", "moment"),
        Column("last_received_at", "moment"),
        Column("idle_days", "integer"),
    )
    now = datetime.now(UTC)
    rows = await queries.fetch_dead_stock(session, now, now - timedelta(days=days), **chosen.parameters())
    return table("dead-stock", {"days": days} | chosen.parameters(), columns, rows)


async def sum_movements(session: AsyncSession, chosen: Chosen, period: Period, group_by: MovementGrouping) -> Table:
    """Opening, what changed by each type, and closing; or every movement for itself.
    Raises Unprocessable for more movements than a file should hold."""
    parameters = {"group_by": group_by} | period.parameters() | chosen.parameters()
    if group_by == "none":
        return await _each_movement(session, chosen, period, parameters)
    keys = {
        "product": _PRODUCT,
        "category": (Column("category"),),
        "warehouse": (Column("warehouse_id", "integer"), Column("warehouse")),
    }
    rows = await queries.fetch_moved(session, group_by, period.since, period.until, **chosen.parameters())
    columns = (*keys[group_by], *(quantity(name) for name in ("opening", *_TYPES, "closing")))
    return table("movements", parameters, columns, rows)


async def _each_movement(session: AsyncSession, chosen: Chosen, period: Period, parameters: dict[str, Any]) -> Table:
    columns = (
        Column("id", "integer"),
        Column("occurred_at", "moment"),
        Column("recorded_at", "moment"),
        Column("sku"),
        Column("name"),
        Column("warehouse"),
        Column("movement_type"),
        quantity("quantity"),
        Column("balance", "quantity"),
        Column("unit_cost", "money"),
        *(Column(name) for name in ("reference_number", "document")),
        Column("performed_by", "integer"),
        Column("notes"),
    )
    most = MOST_MOVEMENTS + 1
    rows = await queries.fetch_movements(session, period.since, period.until, most, **chosen.parameters())
    if len(rows) > MOST_MOVEMENTS:
        raise Unprocessable.field("from", f"there are more than {MOST_MOVEMENTS} movements; choose a shorter period")
    return table("movements", parameters, columns, rows)


async def turn_over(session: AsyncSession, chosen: Chosen, period: Period) -> Table:
    """How often the stock was sold and replaced: the cost of what was sold over the average worth of the stock."""
    columns = (
        *_PRODUCT,
        Column("category"),
        quantity("sold"),
        *(money(name) for name in ("cost", "opening_value", "closing_value", "average_value")),
        Column("turnover", "ratio"),
        Column("days_of_stock", "ratio"),
    )
    found = await queries.fetch_turnover(session, period.since, period.until, **chosen.parameters())
    rows = [dict(row) | turnover_of(row, period.days) for row in found]
    result = table("turnover", period.parameters() | chosen.parameters(), columns, rows)
    overall = turnover_of(
        {name: result.totals[name] for name in ("cost", "opening_value", "closing_value")}, period.days
    )
    return Table(result.name, result.parameters, result.columns, result.rows, {**result.totals, **overall})


def turnover_of(row: Mapping[str, Any], days: int) -> dict[str, Decimal | None]:
    """`turnover` over the period, and for how many days the average stock lasted at that pace."""
    average = (row["opening_value"] + row["closing_value"]) / 2
    turnover = row["cost"] / average if average > 0 else None
    lasted = days / turnover if turnover is not None and turnover > 0 else None
    return {
        "average_value": average.quantize(Decimal("0.0001"), ROUND_HALF_EVEN, _EXACT),
        "turnover": None if turnover is None else turnover.quantize(_RATIO_STEP, context=_EXACT),
        "days_of_stock": None if lasted is None else lasted.quantize(_RATIO_STEP, context=_EXACT),
    }
