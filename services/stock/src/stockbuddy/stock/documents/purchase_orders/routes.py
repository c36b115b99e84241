"""Routes of purchase orders."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import IfMatch, version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.documents.purchase_orders import queries
from stockbuddy.stock.documents.purchase_orders.create_order import plan_order
from stockbuddy.stock.documents.purchase_orders.place_order import plan_cancellation, plan_placement
from stockbuddy.stock.documents.purchase_orders.receive_order import plan_receipt
from stockbuddy.stock.documents.purchase_orders.schemas import (
    PurchaseOrderCreate,
    PurchaseOrderFilter,
    PurchaseOrderResponse,
    PurchaseOrderUpdate,
    PurchaseReceiptResponse,
    ReceivedPurchaseOrderResponse,
    ReceivePurchaseOrder,
)
from stockbuddy.stock.documents.purchase_orders.update_order import update_order
from stockbuddy.stock.errors import (
    POSTING,
    InvalidState,
    NotInPurchaseOrder,
    OverReceipt,
    ProductInactive,
    UnknownProduct,
    UnknownSupplier,
    UnknownWarehouse,
    WarehouseForbidden,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response

router = APIRouter(prefix="/api/v1/purchase-orders", tags=["purchase orders"], route_class=LightweightRoute)

OrderId = Annotated[Id, Path()]


@router.post(
    "", response_model=PurchaseOrderResponse, status_code=201, dependencies=[requires(Permission.PURCHASE_WRITE)]
)
@raises(UnknownSupplier, UnknownProduct, ProductInactive, *POSTING)
async def create_purchase_order(context: PostingContextDep, body: PurchaseOrderCreate) -> Response:
    """Draft a purchase order.

    A draft changes no stock and is not incoming yet: place it with `POST /purchase-orders/{order_id}/order`. A line
    without `unit_cost` has the product's cost price.
    """
    return stored_response(await context.submit(lambda: plan_order(context, body)))


@router.get("", response_model=Page[PurchaseOrderResponse], dependencies=[requires(Permission.PURCHASE_READ)])
async def list_purchase_orders(session: ReadSession, filters: Annotated[PurchaseOrderFilter, Query()]) -> Response:
    """List purchase orders.

    Newest first unless `sort_by` says otherwise, each with its lines.
    """
    return page_response(await queries.list_orders(session, filters), filters)


@router.get("/{order_id}", response_model=PurchaseOrderResponse, dependencies=[requires(Permission.PURCHASE_READ)])
async def get_purchase_order(session: ReadSession, order_id: OrderId) -> Response:
    """Read a purchase order.

    `outstanding` of each line is what is still to come.
    """
    order = await queries.get_order(session, order_id)
    return json_response(order, etag=version_etag(order.version))


@router.put(
    "/{order_id}",
    response_model=PurchaseOrderResponse,
    name="update_purchase_order_put",
    dependencies=[requires(Permission.PURCHASE_WRITE)],
)
@router.patch("/{order_id}", response_model=PurchaseOrderResponse, dependencies=[requires(Permission.PURCHASE_WRITE)])
@raises(UnknownSupplier, UnknownProduct, UnknownWarehouse, WarehouseForbidden, ProductInactive, InvalidState)
async def update_purchase_order(
    context: PostingContextDep,
    session: Session,
    order_id: OrderId,
    body: PurchaseOrderUpdate,
    if_match: IfMatch = None,
) -> Response:
    """Change a draft purchase order.

    PUT and PATCH do the same: absent fields keep their values; `lines` replaces all lines. An order that was placed
    cannot be changed (409 `invalid_state`).
    """
    order = await update_order(context, session, order_id, body, if_match)
    return json_response(order, etag=version_etag(order.version))


@router.post(
    "/{order_id}/order", response_model=PurchaseOrderResponse, dependencies=[requires(Permission.PURCHASE_WRITE)]
)
@raises(InvalidState, UnknownSupplier, UnknownProduct, ProductInactive, *POSTING)
async def place_purchase_order(context: PostingContextDep, order_id: OrderId) -> Response:
    """Place a purchase order.

    From now on its quantities count as incoming.
    """
    return stored_response(await context.submit(lambda: plan_placement(context, order_id)))


@router.post(
    "/{order_id}/receive",
    response_model=ReceivedPurchaseOrderResponse,
    dependencies=[requires(Permission.PURCHASE_RECEIVE)],
)
@raises(InvalidState, NotInPurchaseOrder, OverReceipt, UnknownProduct, *POSTING)
async def receive_purchase_order(
    context: PostingContextDep, order_id: OrderId, body: ReceivePurchaseOrder | None = None
) -> Response:
    """Receive goods of a purchase order.

    Wholly or in parts, as often as goods arrive: stock and its value increase by what is received. More than is
    outstanding gets 409 `over_receipt`, unless `allow_over_receipt` is set. Without a body, everything outstanding
    is received.
    """
    body = body or ReceivePurchaseOrder()
    return stored_response(await context.submit(lambda: plan_receipt(context, order_id, body)))


@router.post(
    "/{order_id}/cancel", response_model=PurchaseOrderResponse, dependencies=[requires(Permission.PURCHASE_WRITE)]
)
@raises(InvalidState, *POSTING)
async def cancel_purchase_order(context: PostingContextDep, order_id: OrderId) -> Response:
    """Cancel a purchase order.

    What is outstanding is no longer incoming; what was received stays in stock.
    """
    return stored_response(await context.submit(lambda: plan_cancellation(context, order_id)))


@router.get("/{order_id}/receipts", dependencies=[requires(Permission.PURCHASE_READ)])
async def list_purchase_receipts(session: ReadSession, order_id: OrderId) -> list[PurchaseReceiptResponse]:
    """List the receipts of a purchase order.

    In the order in which they were posted; not paged.
    """
    await queries.get_order(session, order_id)
    return await queries.list_receipts(session, order_id)
