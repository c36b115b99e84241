"""Route that lists levels."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.insights.levels import queries
from stockbuddy.stock.insights.levels.schemas import LevelFilter, LevelResponse

router = APIRouter(prefix="/api/v1/stock-levels", tags=["stock levels"], route_class=LightweightRoute)


@router.get("", response_model=Page[LevelResponse], dependencies=[requires(Permission.STOCK_READ)])
async def list_levels(session: ReadSession, filters: Annotated[LevelFilter, Query()]) -> Response:
    """List stock by product and warehouse.

    One row for each product, warehouse and lot that ever had stock. With `as_of` the list shows a past moment;
    `reserved`, `available` and `incoming` are then unknown (null).
    """
    found = await queries.list_levels(session, filters)
    return json_response(found.to_page(filters, queries.to_response))
