"""Routes of the reports."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from stockbuddy.chassis.fields import Id, Integer
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.calendar_days import PeriodUnit
from stockbuddy.stock.insights.reports import inventory_reports, sales_reports
from stockbuddy.stock.insights.reports.filters import ReportFilters
from stockbuddy.stock.insights.reports.inventory_reports import MovementGrouping
from stockbuddy.stock.insights.reports.period import AsOf, ReportPeriod
from stockbuddy.stock.insights.reports.rendering import RESPONSES, ReportFormat, render
from stockbuddy.stock.insights.reports.sales_reports import SalesGrouping

router = APIRouter(prefix="/api/v1/reports", tags=["reports"], route_class=ConditionalRoute)

REPORTS = ("inventory-valuation", "sales", "profit", "turnover", "stock-aging", "movements", "dead-stock")

Filters = Annotated[ReportFilters, Query()]
FormatQuery = Annotated[ReportFormat, Query(alias="format")]


@router.get("")
async def list_reports(_: Caller) -> dict[str, list[str]]:
    return {"items": list(REPORTS)}


@router.get("/inventory-valuation", responses=RESPONSES)
async def get_inventory_valuation_report(
    session: ReadSession,
    _: Caller,
    filters: Filters,
    as_of: AsOf,
    method: Literal["average", "fifo"] = "average",
    report_format: FormatQuery = "json",
) -> Response:
    return await render(await inventory_reports.report_valuation(session, filters, method, as_of), report_format)


@router.get("/sales", responses=RESPONSES)
async def get_sales_report(
    session: ReadSession,
    _: Caller,
    filters: Filters,
    period: ReportPeriod,
    group_by: SalesGrouping = "day",
    report_format: FormatQuery = "json",
) -> Response:
    return await render(await sales_reports.report_sales(session, filters, period, group_by), report_format)


@router.get("/profit", responses=RESPONSES)
async def get_profit_report(
    session: ReadSession,
    _: Caller,
    period: ReportPeriod,
    warehouse_id: Id | None = None,
    group_by: PeriodUnit = "day",
    report_format: FormatQuery = "json",
) -> Response:
    return await render(await sales_reports.report_profit(session, warehouse_id, period, group_by), report_format)


@router.get("/turnover", responses=RESPONSES)
async def get_turnover_report(
    session: ReadSession, _: Caller, filters: Filters, period: ReportPeriod, report_format: FormatQuery = "json"
) -> Response:
    return await render(await inventory_reports.report_turnover(session, filters, period), report_format)


@router.get("/stock-aging", responses=RESPONSES)
async def get_stock_aging_report(
    session: ReadSession, _: Caller, filters: Filters, as_of: AsOf, report_format: FormatQuery = "json"
) -> Response:
    return await render(await inventory_reports.report_aging(session, filters, as_of), report_format)


@router.get("/movements", responses=RESPONSES)
async def get_movements_report(
    session: ReadSession,
    _: Caller,
    filters: Filters,
    period: ReportPeriod,
    group_by: MovementGrouping = "product",
    report_format: FormatQuery = "json",
) -> Response:
    """`group_by=none` lists every movement."""
    return await render(await inventory_reports.report_movements(session, filters, period, group_by), report_format)


@router.get("/dead-stock", responses=RESPONSES)
async def get_dead_stock_report(
    session: ReadSession,
    _: Caller,
    filters: Filters,
    days: Annotated[Integer, Query(ge=1, le=3650)] = 90,
    report_format: FormatQuery = "json",
) -> Response:
    return await render(await inventory_reports.report_dead_stock(session, filters, days), report_format)
