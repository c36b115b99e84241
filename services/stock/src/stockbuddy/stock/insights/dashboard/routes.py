"""Route of the dashboard."""

from fastapi import APIRouter, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.response_cache.cached import cached
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.runtime import clock
from stockbuddy.stock.calendar_days import day_starts, days_until, local_date
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.insights.company_timezone import CompanyTimezone
from stockbuddy.stock.insights.dashboard import queries
from stockbuddy.stock.insights.dashboard.schemas import DashboardResponse, SalesTotals
from stockbuddy.stock.inventory.movements.queries import fetch_latest_movements
from stockbuddy.stock.replicas.system_settings import load_company_locale

router = APIRouter(prefix="/api/v1/dashboard", tags=["dashboard"], route_class=LightweightRoute)

DAYS = 30
MAX_TOP_PRODUCTS = 10
MAX_RECENT_MOVEMENTS = 10


@router.get("/stats", response_model=DashboardResponse, dependencies=[requires(Permission.REPORT_READ)])
@cached(depends_on_time=True)
async def get_dashboard(session: ReadSession, zone: CompanyTimezone) -> Response:
    """Read the figures of the home page.

    Totals of products and stock, low and missing stock, the sales of today and of the last 30 days, the
    best-selling products, the latest movements, and what is still open. Days are those of `tz`, by default the
    company's time zone.
    """
    days = days_until(local_date(clock.now(), zone), DAYS)
    starts = day_starts(days, zone)
    inventory = await queries.fetch_inventory_totals(session)
    sales = await queries.fetch_daily_sales(session, days, starts)
    transfers, orders = await queries.count_pending(session)
    dashboard = DashboardResponse(
        **dict(inventory),
        sales_today=SalesTotals(count=sales[-1].count, revenue=sales[-1].revenue),
        sales_by_day=sales,
        top_products=await queries.fetch_top_products(session, starts[0], MAX_TOP_PRODUCTS),
        recent_movements=await fetch_latest_movements(session, MAX_RECENT_MOVEMENTS),
        pending_transfers=transfers,
        open_purchase_orders=orders,
        currency=(await load_company_locale(session)).currency,
        timezone=zone.key,
    )
    return json_response(dashboard)
