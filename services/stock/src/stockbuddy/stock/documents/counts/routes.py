"""Routes of stock counts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.documents.counts import commands, queries
from stockbuddy.stock.documents.counts.approve_count import plan_approval
from stockbuddy.stock.documents.counts.schemas import (
    EnterCounts,
    StockCountCreate,
    StockCountFilter,
    StockCountResponse,
)
from stockbuddy.stock.errors import (
    POSTING,
    InsufficientStock,
    InvalidState,
    ProductForbidden,
    UnknownProduct,
    UnknownWarehouse,
    WarehouseForbidden,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response

router = APIRouter(prefix="/api/v1/stock-counts", tags=["stock counts"], route_class=LightweightRoute)

CountId = Annotated[Id, Path()]


@router.post("", response_model=StockCountResponse, status_code=201, dependencies=[requires(Permission.STOCK_COUNT)])
@raises(UnknownProduct, UnknownWarehouse, WarehouseForbidden, ProductForbidden)
async def create_count(context: PostingContextDep, session: Session, body: StockCountCreate) -> Response:
    """Begin a stock count.

    Freezes the expected quantity of the selected products in one warehouse. Sales continue meanwhile: movements
    between counting and approval are taken into account.
    """
    return _to_response(await commands.create_count(context, session, body), status=201)


@router.get("", response_model=Page[StockCountResponse], dependencies=[requires(Permission.STOCK_READ)])
async def list_counts(session: ReadSession, filters: Annotated[StockCountFilter, Query()]) -> Response:
    """List stock counts.

    Newest first, each with its lines.
    """
    return page_response(await queries.list_counts(session, filters), filters)


@router.get("/{count_id}", response_model=StockCountResponse, dependencies=[requires(Permission.STOCK_READ)])
async def get_count(session: ReadSession, count_id: CountId) -> Response:
    """Read a stock count.

    Each line has the expected quantity and, once entered, the counted one.
    """
    return _to_response(await queries.get_count(session, count_id))


@router.put(
    "/{count_id}/lines",
    response_model=StockCountResponse,
    name="enter_counts_put",
    dependencies=[requires(Permission.STOCK_COUNT)],
)
@router.post("/{count_id}/lines", response_model=StockCountResponse, dependencies=[requires(Permission.STOCK_COUNT)])
@raises(InvalidState, UnknownProduct, WarehouseForbidden, ProductForbidden)
async def enter_counts(context: PostingContextDep, session: Session, count_id: CountId, body: EnterCounts) -> Response:
    """Enter counted quantities.

    Adds or replaces counted quantities, as often as needed; null deletes one. A product that the count does
    not contain gets a line.
    """
    return _to_response(await commands.enter_counts(context, session, count_id, body.lines))


@router.post("/{count_id}/approve", response_model=StockCountResponse, dependencies=[requires(Permission.STOCK_COUNT)])
@raises(InsufficientStock, InvalidState, UnknownProduct, ProductForbidden, *POSTING)
async def approve_count(context: PostingContextDep, count_id: CountId) -> Response:
    """Approve a stock count.

    Posts an adjustment for each line whose counted quantity differs from what it should have been when it was
    counted. Lines without a counted quantity are left alone.
    """
    return stored_response(await context.submit(lambda: plan_approval(context, count_id)))


@router.post("/{count_id}/cancel", response_model=StockCountResponse, dependencies=[requires(Permission.STOCK_COUNT)])
@raises(InvalidState, WarehouseForbidden, ProductForbidden)
async def cancel_count(context: PostingContextDep, session: Session, count_id: CountId) -> Response:
    """Cancel a stock count.

    Nothing is posted; the entered quantities stay readable.
    """
    return _to_response(await commands.cancel_count(context, session, count_id))


def _to_response(count: StockCountResponse, *, status: int = 200) -> Response:
    return json_response(count, status=status, etag=version_etag(count.version))
