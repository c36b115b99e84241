"""Sales and profit reports."""

from decimal import Decimal
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.stock.calendar_days import PeriodUnit
from stockbuddy.stock.insights.reports import sales_queries
from stockbuddy.stock.insights.reports.filters import ReportFilters
from stockbuddy.stock.insights.reports.period import Period
from stockbuddy.stock.insights.reports.table import Column, Table, build_table, cost, money, quantity

SalesGrouping = Literal["day", "week", "month", "product", "category", "customer", "seller", "warehouse"]

ZERO = Decimal(0)
_REVENUE = ("gross", "discounts", "refunds", "revenue")
_KEYS = {
    "product": (Column("product_id", "integer"), Column("sku"), Column("name")),
    "category": (Column("category"),),
    "customer": (Column("customer_id", "integer"), Column("customer", permission=Permission.CUSTOMER_READ)),
    "seller": (Column("sold_by", "integer"), Column("seller")),
    "warehouse": (Column("warehouse_id", "integer"), Column("warehouse")),
}


async def report_sales(session: AsyncSession, filters: ReportFilters, period: Period, group_by: SalesGrouping) -> Table:
    """`revenue` is gross less discounts and refunds; a refund counts on the day of the return. `sales`: made in the
    period; `voided`: the voids in the period, of sales at any time."""
    is_summed = group_by not in ("product", "category")
    counts = (Column("sales", "integer", is_summed=is_summed), Column("voided", "integer", is_summed=is_summed))
    figures = (*counts, quantity("sold"), quantity("returned"), *map(money, _REVENUE), cost("cost"), cost("profit"))
    if group_by in ("day", "week", "month"):
        rows = await _by_period(session, filters, period, group_by)
        columns = (Column("period", "date"), *figures)
    else:
        rows = await sales_queries.fetch_sales(
            session, group_by, period.since, period.until, [], **filters.parameters()
        )
        columns = (*_KEYS[group_by], *figures)
    return build_table("sales", {"group_by": group_by} | period.parameters() | filters.parameters(), columns, rows)


async def report_profit(session: AsyncSession, warehouse_id: int | None, period: Period, unit: PeriodUnit) -> Table:
    """Gross profit (revenue less cost of goods sold) and net profit (also less expenses). Without `warehouse_id`,
    expenses of the company as a whole are included."""
    filters = ReportFilters(warehouse_id=warehouse_id)
    days, _ = period.split(unit)
    parts = await _by_period(session, filters, period, unit)
    expenses = await sales_queries.fetch_expenses(session, days, period.first_day, period.day_after, warehouse_id)
    rows = [_profit(row, expenses.get(number, ZERO)) for number, row in enumerate(parts, start=1)]
    columns = (
        Column("period", "date"),
        money("revenue"),
        cost("cost"),
        cost("gross_profit"),
        money("expenses"),
        cost("net_profit"),
    )
    parameters = {"group_by": unit} | period.parameters() | {"warehouse_id": warehouse_id}
    return build_table("profit", parameters, columns, rows)


def _profit(row: dict[str, Any], expenses: Decimal) -> dict[str, Any]:
    return row | {"gross_profit": row["profit"], "expenses": expenses, "net_profit": row["profit"] - expenses}


async def _by_period(
    session: AsyncSession, filters: ReportFilters, period: Period, unit: PeriodUnit
) -> list[dict[str, Any]]:
    """A row for every part of the period, also for those without sales."""
    days, starts = period.split(unit)
    rows = await sales_queries.fetch_sales(
        session, "period", period.since, period.until, starts, **filters.parameters()
    )
    by_part = {row["part"]: dict(row) for row in rows}
    return [by_part.get(number, _zero_row()) | {"period": day} for number, day in enumerate(days, start=1)]


def _zero_row() -> dict[str, Any]:
    return {"sales": 0, "voided": 0} | dict.fromkeys(("sold", "returned", *_REVENUE, "cost", "profit"), ZERO)
