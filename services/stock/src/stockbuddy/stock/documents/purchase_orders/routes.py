"""Purchase orders over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.fields import Id, UtcTime
from stockbuddy.chassis.http.authentication import Manager
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.documents.purchase_orders import queries
from stockbuddy.stock.documents.purchase_orders.create_order import change_draft, cost_lines, draft_order
from stockbuddy.stock.documents.purchase_orders.place_order import cancel_order, place_order
from stockbuddy.stock.documents.purchase_orders.receive_order import draft_receipt
from stockbuddy.stock.documents.purchase_orders.schemas import (
    PurchaseOrderCreate,
    ReceivePurchaseOrder,
    PurchaseOrderUpdate,
    PurchaseOrderResponse,
    PurchaseReceiptResponse,
    ReceivedPurchaseOrderResponse,
    Status,
)
from stockbuddy.stock.fields import Search
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response

router = APIRouter(prefix="/api/v1/purchase-orders", tags=["purchase orders"], route_class=ConditionalRoute)

OrderId = Annotated[Id, Path()]
SortBy = Literal["created_desc", "created_asc"]


@router.post("", response_model=PurchaseOrderResponse, status_code=201)
async def draft_purchase_order(context: PostingContextDep, _: Manager, body: PurchaseOrderCreate) -> Response:
    return stored_response(await context.submit(lambda: draft_order(context, body)))


@router.get("", response_model=Page[PurchaseOrderResponse])
async def list_purchase_orders(
    session: ReadSession,
    _: Manager,
    paging: PageParameters,
    status: Annotated[Status | None, Query()] = None,
    supplier_id: Annotated[Id | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    product_id: Annotated[Id | None, Query()] = None,
    search: Annotated[Search | None, Query()] = None,
    since: Annotated[UtcTime | None, Query(alias="from")] = None,
    until: Annotated[UtcTime | None, Query(alias="to")] = None,
    sort_by: Annotated[SortBy, Query()] = "created_desc",
) -> Response:
    chosen = queries.PurchaseFilter(status, supplier_id, warehouse_id, product_id, search, since, until)
    listed, orders = await queries.list_orders(session, chosen, queries.SORTS[sort_by], paging)
    views = iter(orders)
    return json_response(listed.page(paging, lambda _: next(views)))


@router.get("/{order_id}", response_model=PurchaseOrderResponse)
async def show_purchase_order(session: ReadSession, _: Manager, order_id: OrderId) -> Response:
    order = await queries.find_order(session, order_id)
    if order is None:
        raise NotFound()
    return json_response(order, etag=version_etag(order.version))


@router.put("/{order_id}", response_model=PurchaseOrderResponse)
@router.patch("/{order_id}", response_model=PurchaseOrderResponse, name="patch_purchase_order")
async def change_purchase_order(
    if_match: IfMatch,
    context: PostingContextDep,
    session: Session,
    _: Manager,
    order_id: OrderId,
    body: PurchaseOrderUpdate,
) -> Response:
    """Drafts only."""
    supplier = None if body.supplier_id is None else await context.suppliers.load(body.supplier_id)
    lines = None if body.lines is None else await cost_lines(context, body.lines)
    order = await queries.lock_order(session, order_id)
    if order is None:
        raise NotFound()
    await context.warehouse(order.warehouse_id)
    require_match(if_match, version_etag(order.version))
    changes: dict[str, Any] = body.model_dump(exclude_unset=True, exclude={"supplier_id", "lines"})
    changed = await change_draft(session, order, changes, supplier, lines)
    return json_response(changed, etag=version_etag(changed.version))


@router.post("/{order_id}/order", response_model=PurchaseOrderResponse)
async def place_purchase_order(context: PostingContextDep, _: Manager, order_id: OrderId) -> Response:
    """From now on its lines count as incoming."""
    return stored_response(await context.submit(lambda: place_order(context, order_id)))


@router.post("/{order_id}/receive", response_model=ReceivedPurchaseOrderResponse)
async def receive_purchase_order(
    context: PostingContextDep, _: Manager, order_id: OrderId, body: ReceivePurchaseOrder | None = None
) -> Response:
    """Without lines, everything that is still to come."""
    return stored_response(await context.submit(lambda: draft_receipt(context, order_id, body or ReceivePurchaseOrder())))


@router.post("/{order_id}/cancel", response_model=PurchaseOrderResponse)
async def cancel_purchase_order(context: PostingContextDep, _: Manager, order_id: OrderId) -> Response:
    """What has arrived stays; the rest no longer counts as incoming."""
    return stored_response(await context.submit(lambda: cancel_order(context, order_id)))


@router.get("/{order_id}/receipts")
async def list_purchase_receipts(session: ReadSession, _: Manager, order_id: OrderId) -> list[PurchaseReceiptResponse]:
    if await queries.find_order(session, order_id) is None:
        raise NotFound()
    return await queries.list_receipts(session, order_id)
