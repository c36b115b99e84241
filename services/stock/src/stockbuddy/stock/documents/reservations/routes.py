"""Routes of reservations. For committing one see sales/reservation_routes.py."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.reservations import queries
from stockbuddy.stock.documents.reservations.create_reservation import plan_reservation
from stockbuddy.stock.documents.reservations.lifecycle import plan_extension, plan_release
from stockbuddy.stock.documents.reservations.schemas import (
    ExtendReservation,
    ReservationCreate,
    ReservationFilter,
    ReservationResponse,
)
from stockbuddy.stock.errors import (
    POSTING,
    InsufficientStock,
    InvalidState,
    ProductForbidden,
    ProductInactive,
    ReservationAlreadyExpired,
    ReservationForbidden,
    ReservedShareExceeded,
    UnknownProduct,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response

router = APIRouter(prefix="/api/v1/reservations", tags=["reservations"], route_class=LightweightRoute)

ReservationId = Annotated[Id, Path()]


@router.post(
    "", response_model=ReservationResponse, status_code=201, dependencies=[requires(Permission.RESERVATION_WRITE)]
)
@raises(InsufficientStock, UnknownProduct, ProductInactive, ReservedShareExceeded, ProductForbidden, *POSTING)
async def create_reservation(context: PostingContextDep, body: ReservationCreate) -> Response:
    """Reserve stock for a limited time.

    All lines are reserved or none. Reserved stock stays on hand and is not available to others until the
    reservation is committed, released, or expires on its own after `expires_in` seconds.
    """
    return stored_response(await context.submit(lambda: plan_reservation(context, body)))


@router.get("", response_model=Page[ReservationResponse], dependencies=[requires(Permission.STOCK_READ)])
async def list_reservations(session: ReadSession, filters: Annotated[ReservationFilter, Query()]) -> Response:
    """List reservations.

    Newest first. The status is `expired` from `expires_at` on.
    """
    return page_response(await queries.list_reservations(session, filters), filters)


@router.get("/{reservation_id}", response_model=ReservationResponse, dependencies=[requires(Permission.STOCK_READ)])
async def get_reservation(session: ReadSession, reservation_id: ReservationId) -> Response:
    """Read a reservation.

    Its status is `expired` from `expires_at` on.
    """
    return json_response(await queries.get_reservation(session, reservation_id))


@router.post(
    "/{reservation_id}/extend",
    response_model=ReservationResponse,
    dependencies=[requires(Permission.RESERVATION_WRITE)],
)
@raises(ReservationAlreadyExpired, ReservationForbidden, InvalidState, *POSTING)
async def extend_reservation(
    context: PostingContextDep, reservation_id: ReservationId, body: ExtendReservation | None = None
) -> Response:
    """Extend a reservation.

    It ends `expires_in` seconds from now. An expired reservation cannot be extended: its stock may have been sold.
    """
    body = body or ExtendReservation()
    return stored_response(await context.submit(lambda: plan_extension(context, reservation_id, body)))


@router.post(
    "/{reservation_id}/release",
    response_model=ReservationResponse,
    dependencies=[requires(Permission.RESERVATION_WRITE)],
)
@raises(ReservationAlreadyExpired, ReservationForbidden, InvalidState, *POSTING)
async def release_reservation(context: PostingContextDep, reservation_id: ReservationId) -> Response:
    """Release a reservation.

    Its stock is available again at once.
    """
    return stored_response(await context.submit(lambda: plan_release(context, reservation_id)))
