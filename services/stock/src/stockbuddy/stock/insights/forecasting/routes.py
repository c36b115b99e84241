"""Route of forecasts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.errors import UnknownProduct, UnknownWarehouse
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.insights.company_timezone import CompanyTimezone
from stockbuddy.stock.insights.forecasting.forecast import forecast_demand
from stockbuddy.stock.insights.forecasting.schemas import ForecastQuery, ForecastResponse

router = APIRouter(prefix="/api/v1/forecasts", tags=["reordering"], route_class=LightweightRoute)


@router.get("/{product_id}", response_model=ForecastResponse, dependencies=[requires(Permission.REPORT_READ)])
@raises(UnknownProduct, UnknownWarehouse)
async def get_forecast(
    session: ReadSession,
    context: PostingContextDep,
    zone: CompanyTimezone,
    product_id: Annotated[Id, Path()],
    query: Annotated[ForecastQuery, Query()],
) -> Response:
    """Forecast the demand for a product.

    Expected units per day from today on, with an interval that holds with the probability `level`. It is computed
    from quantities sold or issued, by the method that was the most accurate for this product in the last weeks. Days on
    which the stock was used up do not count as days with less demand, nor days with reduced prices as days with more.
    """
    product = await context.products.load_one(product_id)
    if query.warehouse_id is not None:
        await context.warehouses.load(query.warehouse_id)
    return json_response(await forecast_demand(session, product, zone, query))
