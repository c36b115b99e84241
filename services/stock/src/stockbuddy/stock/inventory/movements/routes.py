"""Routes of movements."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.errors import (
    POSTING,
    AlreadyReversed,
    InsufficientStock,
    NotReversible,
    ProductForbidden,
    UnknownProduct,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response
from stockbuddy.stock.inventory.movements import queries
from stockbuddy.stock.inventory.movements.post_movements import plan_atomic_batch, plan_movement, plan_partial_batch
from stockbuddy.stock.inventory.movements.reverse_movement import plan_reversal
from stockbuddy.stock.inventory.movements.schemas import (
    MovementBatchCreate,
    MovementBatchResponse,
    MovementCreate,
    MovementFilter,
    MovementResponse,
    ReverseMovement,
)

router = APIRouter(prefix="/api/v1/stock-movements", tags=["stock movements"], route_class=LightweightRoute)

MovementId = Annotated[Id, Path()]


@router.post("", response_model=MovementResponse, status_code=201, dependencies=[requires(Permission.STOCK_MOVE)])
@raises(InsufficientStock, UnknownProduct, ProductForbidden, *POSTING)
async def create_movement(context: PostingContextDep, body: MovementCreate) -> Response:
    """Post a movement of stock.

    Changes the level and appends the movement to the ledger, or does neither. Outgoing stock never exceeds what is
    available, however many requests compete, unless the warehouse allows negative stock: otherwise the response is 409
    `insufficient_stock` with the `shortages`. A movement is never changed; its opposite is posted by
    `POST /stock-movements/{movement_id}/reverse`.
    """
    return stored_response(await context.submit(lambda: plan_movement(context, body)))


@router.post("/batch", response_model=MovementBatchResponse, dependencies=[requires(Permission.STOCK_MOVE)])
@raises(InsufficientStock, UnknownProduct, ProductForbidden, *POSTING)
async def create_movement_batch(context: PostingContextDep, body: MovementBatchCreate) -> Response:
    """Post up to 1,000 movements in one request.

    With `on_error` `abort` (the default) all of them are posted or none. With `continue` each one is accepted or
    rejected by itself, and the response has the result of each in order.
    """
    plan = plan_atomic_batch if body.on_error == "abort" else plan_partial_batch
    return stored_response(await context.submit(lambda: plan(context, body.movements)))


@router.get("", response_model=Page[MovementResponse], dependencies=[requires(Permission.STOCK_READ)])
async def list_movements(session: ReadSession, filters: Annotated[MovementFilter, Query()]) -> Response:
    """List stock movements.

    The ledger: the latest posted first unless `sort_by` says otherwise. It has every change of stock, including those
    by sales, transfers, orders and counts; `document` names the document that posted it.
    """
    found = await queries.list_movements(session, filters)
    return json_response(found.to_page(filters, queries.to_response))


@router.get("/{movement_id}", response_model=MovementResponse, dependencies=[requires(Permission.STOCK_READ)])
async def get_movement(session: ReadSession, movement_id: MovementId) -> Response:
    """Read a stock movement.

    Movements never change, so a copy stays valid.
    """
    return json_response(await queries.get_movement(session, movement_id))


@router.post(
    "/{movement_id}/reverse",
    response_model=MovementResponse,
    status_code=201,
    dependencies=[requires(Permission.STOCK_MOVE)],
)
@raises(InsufficientStock, AlreadyReversed, NotReversible, UnknownProduct, ProductForbidden, *POSTING)
async def reverse_movement(
    context: PostingContextDep, movement_id: MovementId, body: ReverseMovement | None = None
) -> Response:
    """Post the opposite of a movement.

    The reversal takes back quantity and value; the original stays in the ledger and is named by `reverses_id`. Each
    movement can be reversed once. Movements of documents are reversed by voiding or cancelling the document.
    """
    return stored_response(await context.submit(lambda: plan_reversal(context, movement_id, body or ReverseMovement())))
