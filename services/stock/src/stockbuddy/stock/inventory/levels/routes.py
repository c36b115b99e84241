"""Levels over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from stockbuddy.chassis.fields import Id, UtcTime
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.fields import Lot, Name, Price, Sku
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, stored_response
from stockbuddy.stock.inventory.levels import queries
from stockbuddy.stock.inventory.levels.commands import draft_count
from stockbuddy.stock.inventory.levels.schemas import LevelAfter, LevelView, NewCount

router = APIRouter(prefix="/api/v1/stock-levels", tags=["stock levels"], route_class=ConditionalRoute)


@router.get("", response_model=Page[LevelView])
async def list_levels(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    product_id: Annotated[Id | None, Query()] = None,
    sku: Annotated[Sku | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    lot: Annotated[Lot | None, Query()] = None,
    category: Annotated[Name | None, Query()] = None,
    price_min: Annotated[Price | None, Query()] = None,
    price_max: Annotated[Price | None, Query()] = None,
    low_stock: Annotated[bool | None, Query()] = None,
    as_of: Annotated[UtcTime | None, Query()] = None,
) -> Response:
    chosen = queries.LevelFilter(product_id, sku, warehouse_id, lot, category, price_min, price_max, low_stock)
    if as_of is None:
        listed = await queries.list_levels(session, chosen, paging)
    else:
        listed = await queries.list_levels_at(session, as_of, chosen, paging)
    return json_response(listed.page(paging, queries.as_view))


@router.put("", response_model=LevelAfter)
async def set_level(context: PostingContextDep, body: NewCount) -> Response:
    return stored_response(await context.submit(lambda: draft_count(context, body)))
