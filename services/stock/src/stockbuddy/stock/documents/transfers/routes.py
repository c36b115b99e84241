"""Transfers over HTTP. Their steps may be PUT or POST; only a POST can be repeated by its key."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.fields import Id, UtcTime
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.transfers import lifecycle, queries
from stockbuddy.stock.documents.transfers.create_transfer import draft_transfer
from stockbuddy.stock.documents.transfers.schemas import CancelTransfer, ReceiveTransfer, TransferCreate, Status, TransferResponse
from stockbuddy.stock.fields import Reference
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response

router = APIRouter(prefix="/api/v1/stock-transfers", tags=["stock transfers"], route_class=ConditionalRoute)

TransferId = Annotated[Id, Path()]
SortBy = Literal["created_desc", "created_asc"]


@router.post("", response_model=TransferResponse, status_code=201)
async def create_transfer(context: PostingContextDep, body: TransferCreate) -> Response:
    return stored_response(await context.submit(lambda: draft_transfer(context, body)))


@router.get("", response_model=Page[TransferResponse])
async def list_transfers(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    status: Annotated[Status | None, Query()] = None,
    product_id: Annotated[Id | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    from_warehouse_id: Annotated[Id | None, Query()] = None,
    to_warehouse_id: Annotated[Id | None, Query()] = None,
    transfer_reference: Annotated[Reference | None, Query()] = None,
    since: Annotated[UtcTime | None, Query(alias="from")] = None,
    until: Annotated[UtcTime | None, Query(alias="to")] = None,
    sort_by: Annotated[SortBy, Query()] = "created_desc",
) -> Response:
    chosen = queries.TransferFilter(
        status, product_id, warehouse_id, from_warehouse_id, to_warehouse_id, transfer_reference, since, until
    )
    listed, transfers = await queries.list_transfers(session, chosen, queries.SORTS[sort_by], paging)
    views = iter(transfers)
    return json_response(listed.page(paging, lambda _: next(views)))


@router.get("/{transfer_id}", response_model=TransferResponse)
async def show_transfer(session: ReadSession, _: Caller, transfer_id: TransferId) -> Response:
    transfer = await queries.find_transfer(session, transfer_id)
    if transfer is None:
        raise NotFound()
    return json_response(transfer, etag=version_etag(transfer.version))


@router.put("/{transfer_id}/ship", response_model=TransferResponse)
@router.post("/{transfer_id}/ship", response_model=TransferResponse, name="post_ship_transfer")
async def ship_transfer(context: PostingContextDep, transfer_id: TransferId) -> Response:
    return stored_response(await context.submit(lambda: lifecycle.ship(context, transfer_id)))


@router.put("/{transfer_id}/receive", response_model=TransferResponse)
@router.post("/{transfer_id}/receive", response_model=TransferResponse, name="post_receive_transfer")
async def receive_transfer(
    context: PostingContextDep, transfer_id: TransferId, body: ReceiveTransfer | None = None
) -> Response:
    return stored_response(await context.submit(lambda: lifecycle.receive(context, transfer_id, body or ReceiveTransfer())))


@router.put("/{transfer_id}/complete", response_model=TransferResponse)
@router.post("/{transfer_id}/complete", response_model=TransferResponse, name="post_complete_transfer")
async def complete_transfer(context: PostingContextDep, transfer_id: TransferId) -> Response:
    return stored_response(await context.submit(lambda: lifecycle.complete(context, transfer_id)))


@router.put("/{transfer_id}/cancel", response_model=TransferResponse)
@router.post("/{transfer_id}/cancel", response_model=TransferResponse, name="post_cancel_transfer")
async def cancel_transfer(
    context: PostingContextDep, transfer_id: TransferId, body: CancelTransfer | None = None
) -> Response:
    return stored_response(await context.submit(lambda: lifecycle.cancel(context, transfer_id, body or CancelTransfer())))
