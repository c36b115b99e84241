"""Routes of transfers. Clients may call the steps with PUT or POST; only POST is idempotent by key."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.transfers import queries
from stockbuddy.stock.documents.transfers.create_transfer import plan_transfer
from stockbuddy.stock.documents.transfers.lifecycle import (
    plan_cancellation,
    plan_completion,
    plan_receipt,
    plan_shipment,
)
from stockbuddy.stock.documents.transfers.schemas import (
    CancelTransfer,
    ReceiveTransfer,
    TransferCreate,
    TransferFilter,
    TransferResponse,
)
from stockbuddy.stock.errors import (
    POSTING,
    InsufficientStock,
    InvalidState,
    NotInTransfer,
    ProductForbidden,
    TransferExceeded,
    UnknownProduct,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response

router = APIRouter(prefix="/api/v1/stock-transfers", tags=["stock transfers"], route_class=LightweightRoute)

TransferId = Annotated[Id, Path()]


@router.post("", response_model=TransferResponse, status_code=201, dependencies=[requires(Permission.STOCK_TRANSFER)])
@raises(InsufficientStock, UnknownProduct, ProductForbidden, *POSTING)
async def create_transfer(context: PostingContextDep, body: TransferCreate) -> Response:
    """Begin a transfer between warehouses.

    The goods are reserved at the source until they are shipped or the transfer is cancelled. Several products as
    `lines`, or one in the short form.
    """
    return stored_response(await context.submit(lambda: plan_transfer(context, body)))


@router.get("", response_model=Page[TransferResponse], dependencies=[requires(Permission.STOCK_READ)])
async def list_transfers(session: ReadSession, filters: Annotated[TransferFilter, Query()]) -> Response:
    """List transfers.

    Newest first unless `sort_by` says otherwise. `warehouse_id` finds those from or to a warehouse.
    """
    return page_response(await queries.list_transfers(session, filters), filters)


@router.get("/{transfer_id}", response_model=TransferResponse, dependencies=[requires(Permission.STOCK_READ)])
async def get_transfer(session: ReadSession, transfer_id: TransferId) -> Response:
    """Read a transfer with its lines.

    Each line shows what was shipped, received, damaged and is still in transit.
    """
    transfer = await queries.get_transfer(session, transfer_id)
    return json_response(transfer, etag=version_etag(transfer.version))


@router.put(
    "/{transfer_id}/ship",
    response_model=TransferResponse,
    name="ship_transfer_put",
    dependencies=[requires(Permission.STOCK_TRANSFER)],
)
@router.post("/{transfer_id}/ship", response_model=TransferResponse, dependencies=[requires(Permission.STOCK_TRANSFER)])
@raises(InsufficientStock, InvalidState, ProductForbidden, *POSTING)
async def ship_transfer(context: PostingContextDep, transfer_id: TransferId) -> Response:
    """Ship a pending transfer.

    The goods leave the source and are in transit: on hand nowhere, incoming at the destination, and still part of
    the inventory value. PUT and POST do the same.
    """
    return stored_response(await context.submit(lambda: plan_shipment(context, transfer_id)))


@router.put(
    "/{transfer_id}/receive",
    response_model=TransferResponse,
    name="receive_transfer_put",
    dependencies=[requires(Permission.STOCK_TRANSFER)],
)
@router.post(
    "/{transfer_id}/receive", response_model=TransferResponse, dependencies=[requires(Permission.STOCK_TRANSFER)]
)
@raises(NotInTransfer, TransferExceeded, InvalidState, ProductForbidden, *POSTING)
async def receive_transfer(
    context: PostingContextDep, transfer_id: TransferId, body: ReceiveTransfer | None = None
) -> Response:
    """Receive goods that are in transit.

    Wholly or in parts; `damaged` goods are written off at the destination. Without a body, everything in transit is
    received undamaged. The transfer is completed when nothing is left in transit. PUT and POST do the same.
    """
    body = body or ReceiveTransfer()
    return stored_response(await context.submit(lambda: plan_receipt(context, transfer_id, body)))


@router.put(
    "/{transfer_id}/complete",
    response_model=TransferResponse,
    name="complete_transfer_put",
    dependencies=[requires(Permission.STOCK_TRANSFER)],
)
@router.post(
    "/{transfer_id}/complete", response_model=TransferResponse, dependencies=[requires(Permission.STOCK_TRANSFER)]
)
@raises(InsufficientStock, NotInTransfer, TransferExceeded, InvalidState, ProductForbidden, *POSTING)
async def complete_transfer(context: PostingContextDep, transfer_id: TransferId) -> Response:
    """Complete a transfer in one step.

    Ships what is pending and receives everything, undamaged. PUT and POST do the same.
    """
    return stored_response(await context.submit(lambda: plan_completion(context, transfer_id)))


@router.put(
    "/{transfer_id}/cancel",
    response_model=TransferResponse,
    name="cancel_transfer_put",
    dependencies=[requires(Permission.STOCK_TRANSFER)],
)
@router.post(
    "/{transfer_id}/cancel", response_model=TransferResponse, dependencies=[requires(Permission.STOCK_TRANSFER)]
)
@raises(InvalidState, ProductForbidden, *POSTING)
async def cancel_transfer(
    context: PostingContextDep, transfer_id: TransferId, body: CancelTransfer | None = None
) -> Response:
    """Cancel a transfer.

    A pending one releases its reserved goods. For goods in transit `disposition` decides: `return` puts them back
    into the source, `write_off` writes them off as lost. What was received stays. PUT and POST do the same.
    """
    body = body or CancelTransfer()
    return stored_response(await context.submit(lambda: plan_cancellation(context, transfer_id, body)))
