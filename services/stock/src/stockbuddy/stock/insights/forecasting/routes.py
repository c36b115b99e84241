"""Forecasts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.fields import Id
from stockbuddy.stock.http.posting_context import AtDesk
from stockbuddy.stock.http.responses import shown
from stockbuddy.stock.insights.forecasting.forecast import forecast_demand
from stockbuddy.stock.insights.forecasting.schemas import ForecastView
from stockbuddy.stock.replicas.system_settings.zone import PlaceZone

router = APIRouter(prefix="/api/v1/forecasts", tags=["reordering"], route_class=ConditionalRoute)


@router.get("/{product_id}", response_model=ForecastView)
async def show_forecast(
    session: ReadSession,
    desk: AtDesk,
    zone: PlaceZone,
    product_id: Annotated[Id, Path()],
    warehouse_id: Annotated[Id | None, Query()] = None,
    horizon_days: Annotated[int, Query(ge=1, le=90)] = 14,
    history_days: Annotated[int, Query(ge=7, le=730)] = 180,
) -> Response:
    """Expected demand per day, from today on, with bounds. Forecasts rest on what was sold, so that days without
    stock look like days without demand."""
    product = (await desk.products.find([product_id]))[product_id]
    if warehouse_id is not None:
        await desk.warehouses.find(warehouse_id)
    forecast = await forecast_demand(
        session, product, warehouse_id, zone, history_days=history_days, horizon_days=horizon_days
    )
    return shown(forecast)
