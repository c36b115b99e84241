"""Movements over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.fields import Id, UtcTime
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.fields import Reference, Sku
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response
from stockbuddy.stock.inventory.movements import commands, queries
from stockbuddy.stock.inventory.movements.reverse import draft_reversal
from stockbuddy.stock.inventory.movements.schemas import (
    BatchView,
    Kind,
    MovementCreate,
    MovementResponse,
    NewMovements,
    NewReversal,
)

router = APIRouter(prefix="/api/v1/stock-movements", tags=["stock movements"], route_class=ConditionalRoute)

SortBy = Literal["recorded_desc", "recorded_asc", "occurred_desc", "occurred_asc"]


@router.post("", response_model=MovementResponse, status_code=201)
async def post_movement(context: PostingContextDep, body: MovementCreate) -> Response:
    return stored_response(await context.submit(lambda: commands.draft_movement(context, body)))


@router.post("/batch", response_model=BatchView)
async def post_movements(context: PostingContextDep, body: NewMovements) -> Response:
    draft = commands.draft_movements if body.on_error == "abort" else commands.draft_movements_one_by_one
    return stored_response(await context.submit(lambda: draft(context, body.movements)))


@router.get("", response_model=Page[MovementResponse])
async def list_movements(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    product_id: Annotated[Id | None, Query()] = None,
    sku: Annotated[Sku | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    movement_type: Annotated[Kind | None, Query()] = None,
    reference_number: Annotated[Reference | None, Query()] = None,
    document: Annotated[Reference | None, Query()] = None,
    performed_by: Annotated[Id | None, Query()] = None,
    since: Annotated[UtcTime | None, Query(alias="from")] = None,
    until: Annotated[UtcTime | None, Query(alias="to")] = None,
    sort_by: Annotated[SortBy, Query()] = "recorded_desc",
) -> Response:
    chosen = queries.MovementFilter(
        product_id, sku, warehouse_id, movement_type, reference_number, document, performed_by, since, until
    )
    listed = await queries.list_movements(session, chosen, queries.SORTS[sort_by], paging)
    return json_response(listed.page(paging, queries.as_view))


@router.get("/{movement_id}", response_model=MovementResponse)
async def show_movement(session: ReadSession, _: Caller, movement_id: Annotated[Id, Path()]) -> Response:
    movement = await queries.find_movement(session, movement_id)
    if movement is None:
        raise NotFound()
    return json_response(movement)


@router.post("/{movement_id}/reverse", response_model=MovementResponse, status_code=201)
async def reverse_movement(
    context: PostingContextDep, movement_id: Annotated[Id, Path()], body: NewReversal | None = None
) -> Response:
    return stored_response(await context.submit(lambda: draft_reversal(context, movement_id, body or NewReversal())))
