"""The route that commits a reservation: it may create a sale, which reservations must not depend on."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import Forbidden, raises
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.stock.documents.sales.commit_reservation import plan_commit
from stockbuddy.stock.documents.sales.schemas import CommitReservation, CommittedReservationResponse
from stockbuddy.stock.errors import (
    POSTING,
    AmbiguousCustomer,
    DiscountForbidden,
    InvalidState,
    ProductInactive,
    ReservationAlreadyExpired,
    ReservationForbidden,
    SeveralWarehouses,
    UnknownCustomer,
    UnknownProduct,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import stored_response

router = APIRouter(prefix="/api/v1/reservations", tags=["reservations"], route_class=LightweightRoute)


@router.post(
    "/{reservation_id}/commit",
    response_model=CommittedReservationResponse,
    dependencies=[requires(Permission.RESERVATION_WRITE)],
)
@raises(
    ReservationAlreadyExpired,
    InvalidState,
    ProductInactive,
    UnknownCustomer,
    AmbiguousCustomer,
    SeveralWarehouses,
    UnknownProduct,
    ReservationForbidden,
    DiscountForbidden,
    Forbidden,
    *POSTING,
)
async def commit_reservation(
    context: PostingContextDep, reservation_id: Annotated[Id, Path()], body: CommitReservation | None = None
) -> Response:
    """Turn a reservation into a sale or an issue.

    Consumes exactly what is reserved, so it cannot fail for lack of stock. With `as` set to `sale`, the stock is sold
    at the products' prices, which requires that all lines are in one warehouse; with `out`, the default, it is issued
    without a sale. A sale requires `sale.create`, an issue `stock.move`.
    """
    body = body or CommitReservation()
    return stored_response(await context.submit(lambda: plan_commit(context, reservation_id, body)))
