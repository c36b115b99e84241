"""Routes of sales and returns."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.sales import queries
from stockbuddy.stock.documents.sales.create_return import plan_return
from stockbuddy.stock.documents.sales.create_sale import plan_sale
from stockbuddy.stock.documents.sales.import_offline_sales import import_sales
from stockbuddy.stock.documents.sales.schemas import (
    SaleCreate,
    SaleFilter,
    SaleResponse,
    SaleReturnCreate,
    SaleReturnResponse,
    SalesBatchCreate,
    SalesBatchResponse,
    VoidSale,
)
from stockbuddy.stock.documents.sales.void_sale import plan_void
from stockbuddy.stock.errors import (
    POSTING,
    AmbiguousCustomer,
    ConcurrentUpdate,
    DiscountForbidden,
    InsufficientStock,
    InvalidState,
    NotInSale,
    ProductForbidden,
    ProductInactive,
    ReservationAlreadyExpired,
    ReservationForbidden,
    ReturnExceedsSale,
    SaleForbidden,
    SaleNotReturnable,
    UnknownCustomer,
    UnknownProduct,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response

router = APIRouter(prefix="/api/v1/sales", tags=["sales"], route_class=LightweightRoute)

SaleId = Annotated[Id, Path()]


@router.post("", response_model=SaleResponse, status_code=201, dependencies=[requires(Permission.SALE_CREATE)])
@raises(
    InsufficientStock,
    UnknownProduct,
    ProductInactive,
    UnknownCustomer,
    AmbiguousCustomer,
    ReservationAlreadyExpired,
    ReservationForbidden,
    DiscountForbidden,
    InvalidState,
    *POSTING,
)
async def create_sale(context: PostingContextDep, body: SaleCreate) -> Response:
    """Sell products.

    All lines are sold or none: the sale, its movements and the levels change in one transaction. Missing stock gets
    409 `insufficient_stock` with all `shortages`. A line without `unit_price` has the product's price; a lower one
    requires `sale.discount`, within the limit of the role (403 `discount_forbidden`). With `reservation_id` the sale
    consumes the reserved stock. Send an `Idempotency-Key`, so that a till that lost its connection can repeat the
    request.
    """
    return stored_response(await context.submit(lambda: plan_sale(context, body)))


@router.post("/batch", response_model=SalesBatchResponse, dependencies=[requires(Permission.SALE_CREATE)])
@raises(ConcurrentUpdate)
async def create_sales_batch(request: Request, context: PostingContextDep, body: SalesBatchCreate) -> Response:
    """Import up to 500 sales made offline.

    In the given order, each with its own `idempotency_key`: a sale that was posted by an earlier request is
    recognised and returned as `replayed`. A sale that is rejected does not stop the next one; its `problem` is what
    `POST /sales` returns.
    """
    return await import_sales(context, body.sales, (await request.json())["sales"])


@router.get("", response_model=Page[SaleResponse], dependencies=[requires(Permission.SALE_READ)])
async def list_sales(session: ReadSession, caller: Caller, filters: Annotated[SaleFilter, Query()]) -> Response:
    """List sales.

    Newest first by `occurred_at` unless `sort_by` says otherwise, each with its lines. `search` also finds names of
    customers, with the permission `customer.read`.
    """
    with_customers = caller.may(Permission.CUSTOMER_READ)
    return page_response(await queries.list_sales(session, filters, with_customers=with_customers), filters)


@router.get("/{sale_id}", response_model=SaleResponse, dependencies=[requires(Permission.SALE_READ)])
async def get_sale(session: ReadSession, sale_id: SaleId) -> Response:
    """Read a sale with its lines.

    `returned` and `refunded` of each line show what came back.
    """
    sale = await queries.get_sale(session, sale_id)
    return json_response(sale, etag=version_etag(sale.version))


@router.post(
    "/{sale_id}/returns",
    response_model=SaleReturnResponse,
    status_code=201,
    dependencies=[requires(Permission.SALE_RETURN)],
)
@raises(NotInSale, ReturnExceedsSale, SaleNotReturnable, UnknownProduct, ProductForbidden, *POSTING)
async def create_sale_return(context: PostingContextDep, sale_id: SaleId, body: SaleReturnCreate) -> Response:
    """Take back goods of a sale.

    Computes the refund from what was paid, in proportion for parts of a line. Without `lines` everything that is
    not yet returned comes back. With `restock` false the goods are not put into stock, because they are damaged,
    for instance.
    """
    return stored_response(await context.submit(lambda: plan_return(context, sale_id, body)))


@router.post("/{sale_id}/void", response_model=SaleResponse, dependencies=[requires(Permission.SALE_VOID)])
@raises(SaleForbidden, InvalidState, *POSTING)
async def void_sale(context: PostingContextDep, sale_id: SaleId, body: VoidSale | None = None) -> Response:
    """Void a sale.

    For a sale entered by mistake: every line goes back into stock at its cost, and the refund due is the total. A
    sale of which something was returned cannot be voided (409 `invalid_state`). The sales of others require
    `sale.void_any` (403 `not_seller`).
    """
    return stored_response(await context.submit(lambda: plan_void(context, sale_id, body or VoidSale())))


@router.get("/{sale_id}/returns", dependencies=[requires(Permission.SALE_READ)])
async def list_sale_returns(session: ReadSession, sale_id: SaleId) -> list[SaleReturnResponse]:
    """List the returns of a sale.

    In the order in which they were posted; not paged.
    """
    await queries.get_sale(session, sale_id)
    return await queries.list_returns(session, sale_id)
