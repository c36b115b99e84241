"""What can be done with products; each command says its event in the same transaction."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.commands import find_or_create_category
from stockbuddy.catalog.constraints import violated_constraint
from stockbuddy.catalog.errors import (
    DuplicateBarcode,
    DuplicateSku,
    NotDeleted,
    UnknownCategory,
    UnknownProduct,
    UnknownSupplier,
)
from stockbuddy.catalog.ownership import require_ownership
from stockbuddy.catalog.products import queries
from stockbuddy.catalog.products.model import Product
from stockbuddy.catalog.products.schemas import NewProduct, ProductChange
from stockbuddy.catalog.versions import require_version
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.contracts.catalog import ProductCreated, ProductDeleted, ProductRestored, ProductUpdated


async def create_product(session: AsyncSession, caller: Principal, new: NewProduct) -> Product:
    fields = new.given()
    fields.pop("quantity", None)
    product = Product(**await _with_references(session, caller, fields), owner_id=caller.user_id)
    session.add(product)
    await _flush(session)
    category = await queries.category_name(session, product.category_id)
    outbox.add(session, product.state(ProductCreated, category, opening_quantity=new.quantity or None))
    return product


async def change_product(
    session: AsyncSession, caller: Principal, request: Request, product_id: int, change: ProductChange
) -> Product:
    """Raises PreconditionFailed when the request's `If-Match` names another version."""
    product = await product_of(session, caller, request, product_id)
    fields = await _with_references(session, caller, change.given())
    if changes := product.change(fields, datetime.now(UTC)):
        await _flush(session)
        category = await queries.category_name(session, product.category_id)
        outbox.add(session, product.state(ProductUpdated, category, changes=sorted(changes)))
    return product


async def delete_product(session: AsyncSession, caller: Principal, request: Request, product_id: int) -> None:
    product = await product_of(session, caller, request, product_id)
    now = datetime.now(UTC)
    product.change({"deleted_at": now}, now)
    await _flush(session)
    category = await queries.category_name(session, product.category_id)
    outbox.add(session, product.state(ProductDeleted, category))


async def restore_product(session: AsyncSession, caller: Principal, product_id: int) -> Product:
    """Raises Conflict when its SKU or a barcode has been given to another product meanwhile.
    A category or supplier that was deleted meanwhile is let go."""
    product = await queries.product_to_change(session, product_id)
    if product is None:
        raise UnknownProduct()
    require_ownership(caller, product.owner_id)
    if product.deleted_at is None:
        raise NotDeleted()
    values: dict[str, Any] = {"deleted_at": None}
    if product.category_id is not None and not await queries.category_lives(session, product.category_id):
        values["category_id"] = None
    if product.supplier_id is not None and not await queries.supplier_lives(session, product.supplier_id):
        values["supplier_id"] = None
    product.change(values, datetime.now(UTC))
    await _flush(session)
    category = await queries.category_name(session, product.category_id)
    outbox.add(session, product.state(ProductRestored, category))
    return product


async def change_image(session: AsyncSession, product: Product, digest: str | None) -> None:
    """Note that the (locked) product has another image now, or none."""
    product.change({"image_digest": digest}, datetime.now(UTC))
    await session.flush()
    category = await queries.category_name(session, product.category_id)
    outbox.add(session, product.state(ProductUpdated, category, changes=["image"]))


async def product_of(session: AsyncSession, caller: Principal, request: Request, product_id: int) -> Product:
    """A living product that the caller may change, locked."""
    product = await queries.product_to_change(session, product_id)
    if product is None or product.deleted_at is not None:
        raise UnknownProduct()
    require_ownership(caller, product.owner_id)
    require_version(request, product.version)
    return product


async def _with_references(session: AsyncSession, caller: Principal, fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` with the category's name turned into its id; every reference in them exists and lives."""
    named = "category" in fields
    name = fields.pop("category", None)
    if name is not None:
        fields["category_id"] = await find_or_create_category(session, caller.user_id, name)
    elif named:
        fields.setdefault("category_id", None)
    category_id = fields.get("category_id")
    if name is None and category_id is not None and not await queries.category_lives(session, category_id):
        raise UnknownCategory()
    if fields.get("supplier_id") is not None and not await queries.supplier_lives(session, fields["supplier_id"]):
        raise UnknownSupplier()
    return fields


async def _flush(session: AsyncSession) -> None:
    """Raises DuplicateSku or DuplicateBarcode when the database refuses what another product has."""
    try:
        await session.flush()
    except IntegrityError as error:
        constraint = violated_constraint(error)
        if constraint == "product_sku_living":
            raise DuplicateSku() from error
        if constraint == "barcode_pkey":
            raise DuplicateBarcode() from error
        raise
