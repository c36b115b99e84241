"""HTTP of products. Reads pass on JSON that the database has ready: no object is built and checked twice."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.direct import DirectRoute
from stockbuddy.catalog.errors import UnknownProduct
from stockbuddy.catalog.listing.pages import product_page
from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.products import commands, queries
from stockbuddy.catalog.products.schemas import ListedProduct, NewProduct, ProductChange, ShownProduct
from stockbuddy.catalog.versions import etag_of
from stockbuddy.catalog.wording import Id
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.http.errors import Forbidden
from stockbuddy.chassis.http.authentication import Caller, authenticate
from stockbuddy.chassis.http.pagination import Page

AUTHENTICATED = Depends(authenticate)

router = APIRouter(prefix="/api/v1/products", tags=["products"], route_class=DirectRoute)


@router.get("", response_model=Page[ListedProduct])
async def list_products(request: Request, caller: Caller, listing: Annotated[ProductListing, Query()]) -> Response:
    if listing.include_deleted and not caller.is_manager:
        raise Forbidden("Only managers and admins see deleted products.")
    state = request.app.state
    body = await product_page(state.readers, listing, state.totals)
    return Response(body, media_type="application/json")


@router.post("", status_code=201, response_model=ShownProduct)
async def create_product(session: Session, caller: Caller, new: NewProduct) -> Response:
    product = await commands.create_product(session, caller, new)
    return await _changed(session, product.id, 201)


@router.get("/by-sku/{sku:path}", response_model=ShownProduct, dependencies=[AUTHENTICATED])
async def get_product_by_sku(request: Request, sku: str) -> Response:
    return await _shown(request, queries.BY_SKU, sku)


@router.get("/by-barcode/{code:path}", response_model=ShownProduct, dependencies=[AUTHENTICATED])
async def get_product_by_barcode(request: Request, code: str) -> Response:
    return await _shown(request, queries.BY_BARCODE, code)


@router.get("/{product_id:int}", response_model=ShownProduct)
async def get_product(request: Request, caller: Caller, product_id: Id, include_deleted: bool = False) -> Response:
    if include_deleted and not caller.is_manager:
        raise Forbidden("Only managers and admins see deleted products.")
    return await _shown(request, queries.BY_ID_EVEN_DELETED if include_deleted else queries.BY_ID, product_id)


@router.put("/{product_id:int}", response_model=ShownProduct)
async def put_product(
    request: Request, session: Session, caller: Caller, product_id: Id, change: ProductChange
) -> Response:
    """The same as PATCH: what is left out stays as it is."""
    await commands.change_product(session, caller, request, product_id, change)
    return await _changed(session, product_id, 200)


@router.patch("/{product_id:int}", response_model=ShownProduct)
async def patch_product(
    request: Request, session: Session, caller: Caller, product_id: Id, change: ProductChange
) -> Response:
    await commands.change_product(session, caller, request, product_id, change)
    return await _changed(session, product_id, 200)


@router.delete("/{product_id:int}", status_code=204)
async def delete_product(request: Request, session: Session, caller: Caller, product_id: Id) -> None:
    """Gone from lists, history kept; `restore` undoes it."""
    await commands.delete_product(session, caller, request, product_id)


@router.post("/{product_id}/restore", response_model=ShownProduct)
async def restore_product(session: Session, caller: Caller, product_id: Id) -> Response:
    await commands.restore_product(session, caller, product_id)
    return await _changed(session, product_id, 200)


async def _shown(request: Request, statement: str, key: int | str) -> Response:
    if isinstance(key, str) and "\0" in key:
        raise UnknownProduct()
    return _answer(await request.app.state.readers.fetch(statement, key), 200)


async def _changed(session: AsyncSession, product_id: int, status: int) -> Response:
    """The product as this transaction leaves it."""
    driver = await queries.driver_of(session)
    return _answer(await driver.fetch(queries.BY_ID, product_id), status)


def _answer(rows: list[asyncpg.Record], status: int) -> Response:
    """Raises UnknownProduct when there is no row; the one there is holds the version and the JSON."""
    if not rows:
        raise UnknownProduct()
    version, text = rows[0]
    body = text.encode()
    return Response(body, status, {"ETag": etag_of(version, body)}, media_type="application/json")
