"""Sales and returns over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from stockbuddy.chassis.fields import Id, UtcTime
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.sales import queries
from stockbuddy.stock.documents.sales.create_return import draft_return
from stockbuddy.stock.documents.sales.create_sale import draft_sale
from stockbuddy.stock.documents.sales.import_offline_sales import sell_batch
from stockbuddy.stock.documents.sales.schemas import (
    SaleReturnCreate,
    SaleCreate,
    SalesBatchCreate,
    VoidSale,
    SaleReturnResponse,
    SalesBatchResponse,
    SaleResponse,
)
from stockbuddy.stock.documents.sales.void_sale import draft_void
from stockbuddy.stock.fields import Search
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response

router = APIRouter(prefix="/api/v1/sales", tags=["sales"], route_class=ConditionalRoute)

SaleId = Annotated[Id, Path()]
Status = Literal["completed", "partially_returned", "returned", "voided"]
SortBy = Literal["occurred_desc", "occurred_asc", "total_desc", "total_asc"]


@router.post("", response_model=SaleResponse, status_code=201)
async def sell(context: PostingContextDep, body: SaleCreate) -> Response:
    return stored_response(await context.submit(lambda: draft_sale(context, body)))


@router.post("/batch", response_model=SalesBatchResponse)
async def sell_offline_sales(request: Request, context: PostingContextDep, body: SalesBatchCreate) -> Response:
    originals = (await request.json())["sales"]
    return await sell_batch(context, body.sales, originals)


@router.get("", response_model=Page[SaleResponse])
async def list_sales(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    customer_id: Annotated[Id | None, Query()] = None,
    product_id: Annotated[Id | None, Query()] = None,
    sold_by: Annotated[Id | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    search: Annotated[Search | None, Query()] = None,
    since: Annotated[UtcTime | None, Query(alias="from")] = None,
    until: Annotated[UtcTime | None, Query(alias="to")] = None,
    sort_by: Annotated[SortBy, Query()] = "occurred_desc",
) -> Response:
    chosen = queries.SaleFilter(customer_id, product_id, sold_by, warehouse_id, status, search, since, until)
    listed, sales = await queries.list_sales(session, chosen, queries.SORTS[sort_by], paging)
    views = iter(sales)
    return json_response(listed.page(paging, lambda _: next(views)))


@router.get("/{sale_id}", response_model=SaleResponse)
async def show_sale(session: ReadSession, _: Caller, sale_id: SaleId) -> Response:
    sale = await queries.find_sale(session, sale_id)
    if sale is None:
        raise NotFound()
    return json_response(sale, etag=version_etag(sale.version))


@router.post("/{sale_id}/returns", response_model=SaleReturnResponse, status_code=201)
async def return_sale(context: PostingContextDep, sale_id: SaleId, body: SaleReturnCreate) -> Response:
    return stored_response(await context.submit(lambda: draft_return(context, sale_id, body)))


@router.post("/{sale_id}/void", response_model=SaleResponse)
async def void_sale(context: PostingContextDep, sale_id: SaleId, body: VoidSale | None = None) -> Response:
    return stored_response(await context.submit(lambda: draft_void(context, sale_id, body or VoidSale())))


@router.get("/{sale_id}/returns")
async def list_returns(session: ReadSession, _: Caller, sale_id: SaleId) -> list[SaleReturnResponse]:
    if await queries.find_sale(session, sale_id) is None:
        raise NotFound()
    return await queries.list_returns(session, sale_id)
