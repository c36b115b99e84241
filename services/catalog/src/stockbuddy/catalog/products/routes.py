"""HTTP of products. Reads return JSON from the database as it is, without building and validating objects."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.dependencies import get_services
from stockbuddy.catalog.errors import (
    AmbiguousSupplier,
    DuplicateBarcode,
    DuplicateSku,
    NotDeleted,
    NotOwner,
    ProductInUse,
    UnknownCategory,
    UnknownProduct,
    UnknownSupplier,
    WarehouseForbidden,
)
from stockbuddy.catalog.ownership import require_access_to_deleted
from stockbuddy.catalog.products import commands
from stockbuddy.catalog.products.commands import OpeningStock
from stockbuddy.catalog.products.schemas import (
    ProductCreate,
    ProductListItem,
    ProductResponse,
    ProductUpdate,
    RestoreProduct,
)
from stockbuddy.catalog.search import lookups
from stockbuddy.catalog.search.created_dates import with_moments
from stockbuddy.catalog.search.lookups import StoredProduct, get_uncommitted
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.catalog.versions import content_etag
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id, normalize_text
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import Forbidden, raises
from stockbuddy.chassis.http.etags import IfMatch
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.postgres.database import driver_connection

router = APIRouter(prefix="/api/v1/products", tags=["products"], route_class=LightweightRoute)


@router.get("", response_model=Page[ProductListItem], dependencies=[requires(Permission.CATALOG_READ)])
@raises(Forbidden)
async def list_products(request: Request, caller: Caller, query: Annotated[ProductFilter, Query()]) -> Response:
    """List or search products.

    `search` finds words and their beginnings in name, SKU, description, category and barcodes. Without `sort_by`, a
    search orders by relevance and a list by name.
    """
    require_access_to_deleted(caller, include_deleted=query.include_deleted)
    services = get_services(request)
    body = await services.product_pages.fetch(await with_moments(services.database, query))
    return Response(await services.image_urls.sign_in(body), media_type="application/json")


@router.post("", status_code=201, response_model=ProductResponse, dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(WarehouseForbidden, DuplicateSku, DuplicateBarcode, UnknownCategory, UnknownSupplier, AmbiguousSupplier)
async def create_product(request: Request, session: Session, caller: Caller, body: ProductCreate) -> Response:
    """Create a product.

    `quantity` is its opening stock in the default warehouse; it is posted within moments, and the response
    already shows it. A category or supplier named by `category` or `supplier` that does not exist is created. SKUs
    are unique without regard to case, barcodes by their digits.
    """
    product = await commands.create_product(session, caller, body)
    opening = await commands.find_opening_stock(session, body)
    return await _updated_response(request, session, product.id, 201, opening)


@router.get("/by-sku/{sku:path}", response_model=ProductResponse, dependencies=[requires(Permission.CATALOG_READ)])
@raises(UnknownProduct)
async def get_product_by_sku(request: Request, sku: str) -> Response:
    """Find a product by its SKU.

    Exact, without regard to case. A `/` in the SKU needs no escape.
    """
    return await _get(request, lookups.BY_SKU, sku)


@router.get("/by-barcode/{code:path}", response_model=ProductResponse, dependencies=[requires(Permission.CATALOG_READ)])
@raises(UnknownProduct)
async def get_product_by_barcode(request: Request, code: str) -> Response:
    """Find a product by a barcode.

    For scanners: exact; a GTIN is found in each of its lengths (UPC, EAN-13, GTIN-14).
    """
    return await _get(request, lookups.BY_BARCODE, code)


@router.get("/{product_id:int}", response_model=ProductResponse, dependencies=[requires(Permission.CATALOG_READ)])
@raises(Forbidden, UnknownProduct)
async def get_product(request: Request, caller: Caller, product_id: Id, include_deleted: bool = False) -> Response:
    """Read a product with its stock.

    `stock` has a row for each warehouse. Managers read deleted products with `include_deleted`.
    """
    require_access_to_deleted(caller, include_deleted=include_deleted)
    return await _get(request, lookups.BY_ID_WITH_DELETED if include_deleted else lookups.BY_ID, product_id)


@router.put(
    "/{product_id:int}",
    response_model=ProductResponse,
    name="update_product_put",
    dependencies=[requires(Permission.CATALOG_WRITE)],
)
@router.patch("/{product_id:int}", response_model=ProductResponse, dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(NotOwner, UnknownProduct, DuplicateSku, DuplicateBarcode, UnknownCategory, UnknownSupplier, AmbiguousSupplier)
async def update_product(
    request: Request, session: Session, caller: Caller, product_id: Id, body: ProductUpdate, if_match: IfMatch = None
) -> Response:
    """Change a product.

    PUT and PATCH do the same: absent fields keep their values, null clears a nullable one. Stock cannot be changed
    here: post a movement. Salespersons change only products that they created.
    """
    await commands.update_product(session, caller, product_id, body, if_match)
    return await _updated_response(request, session, product_id)


@router.delete("/{product_id:int}", status_code=204, dependencies=[requires(Permission.CATALOG_DELETE)])
@raises(NotOwner, UnknownProduct, ProductInUse)
async def delete_product(session: Session, caller: Caller, product_id: Id, if_match: IfMatch = None) -> None:
    """Delete a product.

    It disappears from lists, and its history stays; `POST /products/{product_id}/restore` brings it back. A product
    with stock or in open documents gets 409 `product_in_use`, which lists both.
    """
    await commands.delete_product(session, caller, product_id, if_match)


@router.post(
    "/{product_id}/restore", response_model=ProductResponse, dependencies=[requires(Permission.CATALOG_DELETE)]
)
@raises(NotOwner, UnknownProduct, NotDeleted, DuplicateSku, DuplicateBarcode)
async def restore_product(
    request: Request, session: Session, caller: Caller, product_id: Id, body: RestoreProduct | None = None
) -> Response:
    """Restore a deleted product.

    If another product now has the SKU, send a new one in `sku`. A category or supplier that was deleted in the
    meantime is cleared.
    """
    await commands.restore_product(session, caller, product_id, body)
    return await _updated_response(request, session, product_id)


async def _get(request: Request, statement: str, key: int | str) -> Response:
    return await _to_response(request, await get_services(request).product_lookups.get(statement, normalize_text(key)))


async def _updated_response(
    request: Request, session: AsyncSession, product_id: int, status: int = 200, opening: OpeningStock | None = None
) -> Response:
    """The product as this transaction, still uncommitted, has changed it."""
    product = await get_uncommitted(await driver_connection(session), product_id)
    return await _to_response(request, product, status, opening)


async def _to_response(
    request: Request, product: StoredProduct, status: int = 200, opening: OpeningStock | None = None
) -> Response:
    """The product with a signed `image_url`."""
    body = product.json.encode() if opening is None else orjson.dumps(orjson.loads(product.json) | opening)
    body = await get_services(request).image_urls.sign_in(body)
    return Response(body, status, {"ETag": content_etag(product.version, body)}, media_type="application/json")
