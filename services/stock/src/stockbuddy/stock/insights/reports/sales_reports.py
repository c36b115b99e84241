"""Reports of what was earned: sales by whatever they are grouped by, and what is left of them."""

from decimal import Decimal
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.calendar_days import Span
from stockbuddy.stock.insights.reports import queries
from stockbuddy.stock.insights.reports.inventory_reports import Chosen
from stockbuddy.stock.insights.reports.period import Period
from stockbuddy.stock.insights.reports.table import Column, Table, money, quantity, table

SalesGrouping = Literal["day", "week", "month", "product", "category", "customer", "seller", "warehouse"]

ZERO = Decimal(0)
_MONEY = ("gross", "discounts", "refunds", "revenue", "cost", "profit")
_KEYS = {
    "product": (Column("product_id", "integer"), Column("sku"), Column("name")),
    "category": (Column("category"),),
    "customer": (Column("customer_id", "integer"), Column("customer")),
    "seller": (Column("sold_by", "integer"), Column("seller")),
    "warehouse": (Column("warehouse_id", "integer"), Column("warehouse")),
}


async def sum_sales(session: AsyncSession, chosen: Chosen, period: Period, group_by: SalesGrouping) -> Table:
    """`revenue` is gross less discounts and refunds; refunds count on the day on which they were made."""
    counts = (Column("sales", "integer", is_summed=group_by not in ("product", "category")),)
    figures = (*counts, quantity("sold"), quantity("returned"), *(money(name) for name in _MONEY))
    if group_by in ("day", "week", "month"):
        rows = await _by_period(session, chosen, period, group_by)
        columns = (Column("period", "date"), *figures)
    else:
        rows = await queries.fetch_sales(session, group_by, period.since, period.until, [], **chosen.parameters())
        columns = (*_KEYS[group_by], *figures)
    return table("sales", {"group_by": group_by} | period.parameters() | chosen.parameters(), columns, rows)


async def sum_profit(session: AsyncSession, warehouse_id: int | None, period: Period, span: Span) -> Table:
    """What sales left after the cost of what was sold, and after expenses. Those of the whole business count too,
    unless one warehouse is asked for."""
    chosen = Chosen(warehouse_id, None)
    days, _ = period.split(span)
    parts = await _by_period(session, chosen, period, span)
    spent = await queries.fetch_expenses(session, days, period.first_day, period.day_after, warehouse_id)
    rows = [_profit(row, spent.get(number, ZERO)) for number, row in enumerate(parts, start=1)]
    names = ("revenue", "cost", "gross_profit", "expenses", "net_profit")
    columns = (Column("period", "date"), *(money(name) for name in names))
    parameters = {"group_by": span} | period.parameters() | {"warehouse_id": warehouse_id}
    return table("profit", parameters, columns, rows)


def _profit(row: dict[str, Any], expenses: Decimal) -> dict[str, Any]:
    return row | {"gross_profit": row["profit"], "expenses": expenses, "net_profit": row["profit"] - expenses}


async def _by_period(session: AsyncSession, chosen: Chosen, period: Period, span: Span) -> list[dict[str, Any]]:
    """A row for every part of the period, with or without sales."""
    days, starts = period.split(span)
    found = await queries.fetch_sales(session, "period", period.since, period.until, starts, **chosen.parameters())
    by_part = {row["part"]: dict(row) for row in found}
    return [by_part.get(number, _nothing()) | {"period": day} for number, day in enumerate(days, start=1)]


def _nothing() -> dict[str, Any]:
    return {"sales": 0} | dict.fromkeys(("sold", "returned", *_MONEY), ZERO)
