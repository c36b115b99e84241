"""Reservations over HTTP; what becomes of them as sales is beside the sales."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.reservations import lifecycle, queries
from stockbuddy.stock.documents.reservations.create_reservation import draft_reservation
from stockbuddy.stock.documents.reservations.schemas import ExtendReservation, ReservationCreate, ReservationResponse, Status
from stockbuddy.stock.fields import Reference
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response

router = APIRouter(prefix="/api/v1/reservations", tags=["reservations"], route_class=ConditionalRoute)

ReservationId = Annotated[Id, Path()]
SortBy = Literal["created_desc", "created_asc"]


@router.post("", response_model=ReservationResponse, status_code=201)
async def reserve_stock(context: PostingContextDep, body: ReservationCreate) -> Response:
    return stored_response(await context.submit(lambda: draft_reservation(context, body)))


@router.get("", response_model=Page[ReservationResponse])
async def list_reservations(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    status: Annotated[Status | None, Query()] = None,
    product_id: Annotated[Id | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    external_ref: Annotated[Reference | None, Query()] = None,
    created_by: Annotated[Id | None, Query()] = None,
    sort_by: Annotated[SortBy, Query()] = "created_desc",
) -> Response:
    chosen = queries.ReservationFilter(status, product_id, warehouse_id, external_ref, created_by)
    listed, reservations = await queries.list_reservations(session, chosen, queries.SORTS[sort_by], paging)
    views = iter(reservations)
    return json_response(listed.page(paging, lambda _: next(views)))


@router.get("/{reservation_id}", response_model=ReservationResponse)
async def show_reservation(session: ReadSession, _: Caller, reservation_id: ReservationId) -> Response:
    reservation = await queries.find_reservation(session, reservation_id)
    if reservation is None:
        raise NotFound()
    return json_response(reservation)


@router.post("/{reservation_id}/extend", response_model=ReservationResponse)
async def extend_reservation(
    context: PostingContextDep, reservation_id: ReservationId, body: ExtendReservation | None = None
) -> Response:
    return stored_response(await context.submit(lambda: lifecycle.extend(context, reservation_id, body or ExtendReservation())))


@router.post("/{reservation_id}/release", response_model=ReservationResponse)
async def release_reservation(context: PostingContextDep, reservation_id: ReservationId) -> Response:
    return stored_response(await context.submit(lambda: lifecycle.release(context, reservation_id)))
