"""Routes of the reports."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id, Integer
from stockbuddy.chassis.http.authentication import CallerPermissions, requires
from stockbuddy.chassis.http.jobs.deferral import deferrable
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.response_cache.cached import cached
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.calendar_days import PeriodUnit
from stockbuddy.stock.insights.reports import inventory_reports, sales_reports
from stockbuddy.stock.insights.reports.filters import ReportFilters
from stockbuddy.stock.insights.reports.inventory_reports import MovementGrouping
from stockbuddy.stock.insights.reports.period import AsOf, ReportPeriod
from stockbuddy.stock.insights.reports.rendering import RESPONSES, ReportFormat, ReportListResponse, render
from stockbuddy.stock.insights.reports.sales_reports import SalesGrouping

router = APIRouter(prefix="/api/v1/reports", tags=["reports"], route_class=LightweightRoute)

REPORTS = ("inventory-valuation", "sales", "profit", "turnover", "stock-aging", "movements", "dead-stock")

Filters = Annotated[ReportFilters, Query()]
FormatQuery = Annotated[ReportFormat, Query(alias="format")]


@router.get("", dependencies=[requires(Permission.REPORT_READ)])
async def list_reports() -> ReportListResponse:
    """List the reports.

    Each name is a path below `/reports`.
    """
    return ReportListResponse(items=list(REPORTS))


@router.get(
    "/inventory-valuation", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ, Permission.COST_READ)]
)
@deferrable
@cached()
async def get_inventory_valuation_report(
    session: ReadSession,
    permissions: CallerPermissions,
    filters: Filters,
    as_of: AsOf,
    method: Literal["average", "fifo"] = "average",
    report_format: FormatQuery = "json",
) -> Response:
    """Report what the stock is worth.

    A row for each product and warehouse with quantity, unit cost and value, at moving average cost or by FIFO, now
    or at a past moment. Goods in transit have rows of their own, with the `state` `in_transit`.
    """
    return await render(
        await inventory_reports.report_valuation(session, filters, method, as_of), report_format, permissions
    )


@router.get("/sales", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ)])
@deferrable
@cached()
async def get_sales_report(
    session: ReadSession,
    permissions: CallerPermissions,
    filters: Filters,
    period: ReportPeriod,
    group_by: SalesGrouping = "day",
    report_format: FormatQuery = "json",
) -> Response:
    """Report revenue, cost and profit of sales.

    Grouped by period, product, category, customer, seller or warehouse. Cost and profit require `cost.read`, names of
    customers `customer.read`. Revenue is net of discounts and refunds; a
    refund counts on the day of the return, a void on the day of the void.
    """
    table = await sales_reports.report_sales(session, filters, period, group_by)
    return await render(table, report_format, permissions)


@router.get("/profit", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ, Permission.COST_READ)])
@deferrable
@cached()
async def get_profit_report(
    session: ReadSession,
    permissions: CallerPermissions,
    period: ReportPeriod,
    warehouse_id: Id | None = None,
    group_by: PeriodUnit = "day",
    report_format: FormatQuery = "json",
) -> Response:
    """Report gross and net profit per period.

    Gross profit is revenue less the cost of goods sold; net profit also deducts expenses. Without `warehouse_id`
    the expenses of the company as a whole are included.
    """
    return await render(
        await sales_reports.report_profit(session, warehouse_id, period, group_by), report_format, permissions
    )


@router.get("/turnover", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ)])
@deferrable
@cached()
async def get_turnover_report(
    session: ReadSession,
    permissions: CallerPermissions,
    filters: Filters,
    period: ReportPeriod,
    report_format: FormatQuery = "json",
) -> Response:
    """Report how often stock is sold and replaced.

    Turnover is the cost of goods sold in the period divided by the average of opening and closing inventory value;
    `days_of_stock` is how long that stock lasts at this rate.
    """
    table = await inventory_reports.report_turnover(session, filters, period)
    return await render(table, report_format, permissions)


@router.get("/stock-aging", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ)])
@deferrable
@cached(depends_on_time=True)
async def get_stock_aging_report(
    session: ReadSession,
    permissions: CallerPermissions,
    filters: Filters,
    as_of: AsOf,
    report_format: FormatQuery = "json",
) -> Response:
    """Report how long stock has been held.

    Quantities on hand by days since their receipt, in five classes up to more than 180 days, by FIFO: the oldest
    stock is assumed to have left first.
    """
    table = await inventory_reports.report_aging(session, filters, as_of)
    return await render(table, report_format, permissions)


@router.get("/movements", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ)])
@deferrable
@cached()
async def get_movements_report(
    session: ReadSession,
    permissions: CallerPermissions,
    filters: Filters,
    period: ReportPeriod,
    group_by: MovementGrouping = "product",
    report_format: FormatQuery = "json",
) -> Response:
    """Report stock movements in a period.

    Opening quantity, change by movement type, and closing quantity of each group. `group_by=none` lists every
    movement instead, at most 100,000: more is 422, choose a shorter period.
    """
    return await render(
        await inventory_reports.report_movements(session, filters, period, group_by), report_format, permissions
    )


@router.get("/dead-stock", responses=RESPONSES, dependencies=[requires(Permission.REPORT_READ)])
@deferrable
@cached(depends_on_time=True)
async def get_dead_stock_report(
    session: ReadSession,
    permissions: CallerPermissions,
    filters: Filters,
    days: Annotated[Integer, Query(ge=1, le=3650)] = 90,
    report_format: FormatQuery = "json",
) -> Response:
    """Report products in stock that do not sell.

    Products that were neither sold nor issued for the number of days in `days`, or never since their first
    movement, with what they are worth.
    """
    table = await inventory_reports.report_dead_stock(session, filters, days)
    return await render(table, report_format, permissions)
