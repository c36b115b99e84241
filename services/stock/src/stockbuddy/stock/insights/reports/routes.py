"""Reports over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.calendar_days import Span
from stockbuddy.stock.fields import Name
from stockbuddy.stock.insights.reports.inventory_reports import (
    Chosen,
    MovementGrouping,
    age_stock,
    find_dead_stock,
    sum_movements,
    turn_over,
    value_inventory,
)
from stockbuddy.stock.insights.reports.period import AskedPeriod, AsOf
from stockbuddy.stock.insights.reports.rendering import DOCUMENTED, Format, rendered
from stockbuddy.stock.insights.reports.sales_reports import SalesGrouping, sum_profit, sum_sales

router = APIRouter(prefix="/api/v1/reports", tags=["reports"], route_class=ConditionalRoute)

REPORTS = ("inventory-valuation", "sales", "profit", "turnover", "stock-aging", "movements", "dead-stock")

Wanted = Annotated[Format, Query(alias="format")]
WarehouseId = Annotated[Id | None, Query()]
Category = Annotated[Name | None, Query()]


async def _chosen(warehouse_id: WarehouseId = None, category: Category = None) -> Chosen:
    return Chosen(warehouse_id, category)


AskedStock = Annotated[Chosen, Depends(_chosen)]


@router.get("")
async def list_reports(_: Caller) -> dict[str, list[str]]:
    return {"items": list(REPORTS)}


@router.get("/inventory-valuation", responses=DOCUMENTED)
async def report_inventory_valuation(
    session: ReadSession,
    _: Caller,
    chosen: AskedStock,
    as_of: AsOf,
    method: Annotated[Literal["average", "fifo"], Query()] = "average",
    wanted: Wanted = "json",
) -> Response:
    return await rendered(await value_inventory(session, chosen, method, as_of), wanted)


@router.get("/sales", responses=DOCUMENTED)
async def report_sales(
    session: ReadSession,
    _: Caller,
    chosen: AskedStock,
    period: AskedPeriod,
    group_by: Annotated[SalesGrouping, Query()] = "day",
    wanted: Wanted = "json",
) -> Response:
    return await rendered(await sum_sales(session, chosen, period, group_by), wanted)


@router.get("/profit", responses=DOCUMENTED)
async def report_profit(
    session: ReadSession,
    _: Caller,
    period: AskedPeriod,
    warehouse_id: WarehouseId = None,
    group_by: Annotated[Span, Query()] = "day",
    wanted: Wanted = "json",
) -> Response:
    return await rendered(await sum_profit(session, warehouse_id, period, group_by), wanted)


@router.get("/turnover", responses=DOCUMENTED)
async def report_turnover(
    session: ReadSession, _: Caller, chosen: AskedStock, period: AskedPeriod, wanted: Wanted = "json"
) -> Response:
    return await rendered(await turn_over(session, chosen, period), wanted)


@router.get("/stock-aging", responses=DOCUMENTED)
async def report_stock_aging(
    session: ReadSession, _: Caller, chosen: AskedStock, as_of: AsOf, wanted: Wanted = "json"
) -> Response:
    return await rendered(await age_stock(session, chosen, as_of), wanted)


@router.get("/movements", responses=DOCUMENTED)
async def report_movements(
    session: ReadSession,
    _: Caller,
    chosen: AskedStock,
    period: AskedPeriod,
    group_by: Annotated[MovementGrouping, Query()] = "product",
    wanted: Wanted = "json",
) -> Response:
    """`group_by=none` lists every movement."""
    return await rendered(await sum_movements(session, chosen, period, group_by), wanted)


@router.get("/dead-stock", responses=DOCUMENTED)
async def report_dead_stock(
    session: ReadSession,
    _: Caller,
    chosen: AskedStock,
    days: Annotated[int, Query(ge=1, le=3650)] = 90,
    wanted: Wanted = "json",
) -> Response:
    return await rendered(await find_dead_stock(session, chosen, days), wanted)
