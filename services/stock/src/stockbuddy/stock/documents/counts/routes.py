"""Stock counts over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.documents.counts import commands, queries
from stockbuddy.stock.documents.counts.approve_count import draft_approval
from stockbuddy.stock.documents.counts.schemas import StockCountResponse, StockCountCreate, EnterCounts, Status
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response

router = APIRouter(prefix="/api/v1/stock-counts", tags=["stock counts"], route_class=ConditionalRoute)

CountId = Annotated[Id, Path()]
SortBy = Literal["created_desc", "created_asc"]


@router.post("", response_model=StockCountResponse, status_code=201)
async def open_count(context: PostingContextDep, session: Session, body: StockCountCreate) -> Response:
    return json_response(await commands.open_count(context, session, body), status=201)


@router.get("", response_model=Page[StockCountResponse])
async def list_counts(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    status: Annotated[Status | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    product_id: Annotated[Id | None, Query()] = None,
    sort_by: Annotated[SortBy, Query()] = "created_desc",
) -> Response:
    chosen = queries.CountFilter(status, warehouse_id, product_id)
    listed, counts = await queries.list_counts(session, chosen, queries.SORTS[sort_by], paging)
    views = iter(counts)
    return json_response(listed.page(paging, lambda _: next(views)))


@router.get("/{count_id}", response_model=StockCountResponse)
async def show_count(session: ReadSession, _: Caller, count_id: CountId) -> Response:
    count = await queries.find_count(session, count_id)
    if count is None:
        raise NotFound()
    return json_response(count, etag=version_etag(count.version))


@router.put("/{count_id}/lines", response_model=StockCountResponse)
@router.post("/{count_id}/lines", response_model=StockCountResponse, name="post_enter_counted")
async def enter_counted(context: PostingContextDep, session: Session, count_id: CountId, body: EnterCounts) -> Response:
    return json_response(await commands.enter_counted(context, session, count_id, body.lines))


@router.post("/{count_id}/approve", response_model=StockCountResponse)
async def approve_count(context: PostingContextDep, count_id: CountId) -> Response:
    return stored_response(await context.submit(lambda: draft_approval(context, count_id)))


@router.post("/{count_id}/cancel", response_model=StockCountResponse)
async def call_count_off(context: PostingContextDep, session: Session, count_id: CountId) -> Response:
    return json_response(await commands.call_off(context, session, count_id))
