"""The dashboard over HTTP."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.calendar_days import day_of, days_until, starts_of
from stockbuddy.stock.http.responses import shown
from stockbuddy.stock.insights.dashboard import queries
from stockbuddy.stock.insights.dashboard.schemas import DashboardView, Takings
from stockbuddy.stock.inventory.movements.queries import latest_movements
from stockbuddy.stock.replicas.system_settings.queries import fetch_place
from stockbuddy.stock.replicas.system_settings.zone import PlaceZone

router = APIRouter(prefix="/api/v1/dashboard", tags=["dashboard"], route_class=ConditionalRoute)

DAYS = 30
TOP_PRODUCTS = 10
RECENT_MOVEMENTS = 10


@router.get("/stats", response_model=DashboardView)
async def show_dashboard(session: ReadSession, _: Caller, zone: PlaceZone) -> Response:
    """Days begin and end in `tz`, or else in the shop's time zone."""
    days = days_until(day_of(datetime.now(UTC), zone), DAYS)
    starts = starts_of(days, zone)
    stocks = await queries.fetch_stocks(session)
    takings = await queries.fetch_takings(session, days, starts)
    transfers, orders = await queries.count_waiting(session)
    view = DashboardView(
        **dict(stocks),
        sales_today=Takings(count=takings[-1].count, revenue=takings[-1].revenue),
        sales_by_day=takings,
        top_products=await queries.fetch_top_products(session, starts[0], TOP_PRODUCTS),
        recent_movements=await latest_movements(session, RECENT_MOVEMENTS),
        pending_transfers=transfers,
        open_purchase_orders=orders,
        currency=(await fetch_place(session)).currency,
        timezone=zone.key,
    )
    return shown(view)
