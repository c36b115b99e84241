"""Route that sets a level."""

from fastapi import APIRouter, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.stock.errors import POSTING, InsufficientStock, ProductForbidden, StaleQuantity, UnknownProduct
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import stored_response
from stockbuddy.stock.inventory.levels.schemas import SetLevel, SetLevelResponse
from stockbuddy.stock.inventory.levels.set_level import plan_set_level

router = APIRouter(prefix="/api/v1/stock-levels", tags=["stock levels"], route_class=LightweightRoute)


@router.put("", response_model=SetLevelResponse, dependencies=[requires(Permission.STOCK_MOVE)])
@raises(InsufficientStock, StaleQuantity, UnknownProduct, ProductForbidden, *POSTING)
async def set_level(context: PostingContextDep, body: SetLevel) -> Response:
    """Set the stock of a product in a warehouse to a counted quantity.

    Posts the difference to the current quantity as an `adjustment`, or nothing if there is none.
    `expected_quantity` is the quantity that the client last read: if the level has changed since, nothing happens and
    the response is 409 `stale_quantity` with the `current` one. Send null to set the level whatever it is.
    """
    return stored_response(await context.submit(lambda: plan_set_level(context, body)))
