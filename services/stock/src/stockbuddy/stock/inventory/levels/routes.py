"""Route that sets a level."""

from fastapi import APIRouter, Response

from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import stored_response
from stockbuddy.stock.inventory.levels.schemas import SetLevel, SetLevelResponse
from stockbuddy.stock.inventory.levels.set_level import plan_set_level

router = APIRouter(prefix="/api/v1/stock-levels", tags=["stock levels"], route_class=LightweightRoute)


@router.put("", response_model=SetLevelResponse)
async def set_level(context: PostingContextDep, body: SetLevel) -> Response:
    return stored_response(await context.submit(lambda: plan_set_level(context, body)))
