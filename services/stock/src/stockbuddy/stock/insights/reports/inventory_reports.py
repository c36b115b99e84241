"""Inventory reports: valuation, ageing, dead stock, movements, turnover."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.runtime import clock
from stockbuddy.stock.insights.reports import inventory_queries, sales_queries
from stockbuddy.stock.insights.reports.filters import ReportFilters
from stockbuddy.stock.insights.reports.period import Period
from stockbuddy.stock.insights.reports.table import Column, Table, build_table, cost, quantity

MAX_MOVEMENTS = 100_000
_RATIO_QUANTUM = Decimal("0.001")
_EXACT = Context(prec=60)
_PRODUCT = (Column("product_id", "integer"), Column("sku"), Column("name"))
_TYPES = ("purchase", "return", "transfer_in", "in", "sale", "damaged", "transfer_out", "out", "adjustment")

MovementGrouping = Literal["product", "category", "warehouse", "none"]


async def report_valuation(
    session: AsyncSession, filters: ReportFilters, method: Literal["average", "fifo"], as_of: datetime | None
) -> Table:
    """Inventory value, at moving average cost or by FIFO. Goods in transit have a row of their own."""
    columns = (
        *_PRODUCT,
        Column("category"),
        Column("warehouse"),
        quantity("quantity"),
        cost("unit_cost", is_summed=False),
        cost("value"),
        Column("state"),
    )
    fetch = inventory_queries.fetch_valuation if method == "average" else inventory_queries.fetch_fifo_valuation
    rows = await fetch(session, as_of, **filters.parameters())
    return build_table("inventory-valuation", {"method": method, "as_of": as_of} | filters.parameters(), columns, rows)


async def report_aging(session: AsyncSession, filters: ReportFilters, as_of: datetime | None) -> Table:
    """Quantities by days since their receipt, by FIFO."""
    columns = (
        *_PRODUCT,
        Column("category"),
        Column("warehouse"),
        *(
            quantity(name)
            for name in ("quantity", "days_0_30", "days_31_60", "days_61_90", "days_91_180", "days_over_180")
        ),
        Column("oldest_days", "integer"),
        cost("value"),
        Column("state"),
    )
    rows = await inventory_queries.fetch_aging(session, as_of, as_of or clock.now(), **filters.parameters())
    return build_table("stock-aging", {"as_of": as_of} | filters.parameters(), columns, rows)


async def report_dead_stock(session: AsyncSession, filters: ReportFilters, days: int) -> Table:
    """Products in stock that were not sold or issued for `days` days, or never since their first movement."""
    columns = (
        *_PRODUCT,
        Column("category"),
        quantity("quantity"),
        cost("value"),
        Column("last_sold_at", "moment"),
        Column("last_received_at", "moment"),
        Column("idle_days", "integer"),
    )
    now = clock.now()
    rows = await inventory_queries.fetch_dead_stock(session, now, now - timedelta(days=days), **filters.parameters())
    return build_table("dead-stock", {"days": days} | filters.parameters(), columns, rows)


async def report_movements(
    session: AsyncSession, filters: ReportFilters, period: Period, group_by: MovementGrouping
) -> Table:
    """Opening quantity, change by movement type, and closing quantity; ungrouped, every movement.
    Raises Unprocessable for more than MAX_MOVEMENTS movements."""
    parameters = {"group_by": group_by} | period.parameters() | filters.parameters()
    if group_by == "none":
        return await _list_movements(session, filters, period, parameters)
    keys = {
        "product": _PRODUCT,
        "category": (Column("category"),),
        "warehouse": (Column("warehouse_id", "integer"), Column("warehouse")),
    }
    rows = await inventory_queries.fetch_movement_totals(
        session, group_by, period.since, period.until, **filters.parameters()
    )
    columns = (*keys[group_by], *(quantity(name) for name in ("opening", *_TYPES, "closing")))
    return build_table("movements", parameters, columns, rows)


async def _list_movements(
    session: AsyncSession, filters: ReportFilters, period: Period, parameters: dict[str, Any]
) -> Table:
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
        cost("unit_cost", is_summed=False),
        cost("value"),
        *(Column(name) for name in ("reference_number", "document")),
        Column("performed_by", "integer"),
        Column("notes"),
    )
    rows = await inventory_queries.fetch_movements(
        session, period.since, period.until, MAX_MOVEMENTS + 1, **filters.parameters()
    )
    if len(rows) > MAX_MOVEMENTS:
        raise Unprocessable.field("from", f"selects more than {MAX_MOVEMENTS} movements; choose a shorter period")
    return build_table("movements", parameters, columns, rows)


async def report_turnover(session: AsyncSession, filters: ReportFilters, period: Period) -> Table:
    """Inventory turnover: cost of goods sold divided by the average inventory value."""
    columns = (
        *_PRODUCT,
        Column("category"),
        quantity("sold"),
        *map(cost, ("cost", "opening_value", "closing_value", "average_value")),
        cost("turnover", "ratio", is_summed=False),
        cost("days_of_stock", "ratio", is_summed=False),
    )
    products = await sales_queries.fetch_turnover(session, period.since, period.until, **filters.parameters())
    rows = [dict(row) | turnover_figures(row, period.days) for row in products]
    result = build_table("turnover", period.parameters() | filters.parameters(), columns, rows)
    overall = turnover_figures(
        {name: result.totals[name] for name in ("cost", "opening_value", "closing_value")}, period.days
    )
    return Table(result.name, result.parameters, result.columns, result.rows, {**result.totals, **overall})


def turnover_figures(row: Mapping[str, Any], days: int) -> dict[str, Decimal | None]:
    """`turnover` in the period, and `days_of_stock`: how long the average inventory lasts at that rate."""
    average = (row["opening_value"] + row["closing_value"]) / 2
    turnover = row["cost"] / average if average > 0 else None
    days_of_stock = days / turnover if turnover is not None and turnover > 0 else None
    return {
        "average_value": average.quantize(Decimal("0.0001"), ROUND_HALF_EVEN, _EXACT),
        "turnover": None if turnover is None else turnover.quantize(_RATIO_QUANTUM, context=_EXACT),
        "days_of_stock": None if days_of_stock is None else days_of_stock.quantize(_RATIO_QUANTUM, context=_EXACT),
    }
