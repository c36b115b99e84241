"""Routes of sales and returns."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
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
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response

router = APIRouter(prefix="/api/v1/sales", tags=["sales"], route_class=LightweightRoute)

SaleId = Annotated[Id, Path()]


@router.post("", response_model=SaleResponse, status_code=201)
async def create_sale(context: PostingContextDep, body: SaleCreate) -> Response:
    return stored_response(await context.submit(lambda: plan_sale(context, body)))


@router.post("/batch", response_model=SalesBatchResponse)
async def create_sales_batch(request: Request, context: PostingContextDep, body: SalesBatchCreate) -> Response:
    return await import_sales(context, body.sales, (await request.json())["sales"])


@router.get("", response_model=Page[SaleResponse])
async def list_sales(session: ReadSession, _: Caller, filters: Annotated[SaleFilter, Query()]) -> Response:
    return page_response(await queries.list_sales(session, filters), filters)


@router.get("/{sale_id}", response_model=SaleResponse)
async def get_sale(session: ReadSession, _: Caller, sale_id: SaleId) -> Response:
    sale = await queries.get_sale(session, sale_id)
    return json_response(sale, etag=version_etag(sale.version))


@router.post("/{sale_id}/returns", response_model=SaleReturnResponse, status_code=201)
async def create_sale_return(context: PostingContextDep, sale_id: SaleId, body: SaleReturnCreate) -> Response:
    return stored_response(await context.submit(lambda: plan_return(context, sale_id, body)))


@router.post("/{sale_id}/void", response_model=SaleResponse)
async def void_sale(context: PostingContextDep, sale_id: SaleId, body: VoidSale | None = None) -> Response:
    return stored_response(await context.submit(lambda: plan_void(context, sale_id, body or VoidSale())))


@router.get("/{sale_id}/returns")
async def list_sale_returns(session: ReadSession, _: Caller, sale_id: SaleId) -> list[SaleReturnResponse]:
    await queries.get_sale(session, sale_id)
    return await queries.list_returns(session, sale_id)
