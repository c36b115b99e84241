"""Changes of products. Each adds its event in the same transaction."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.commands import find_or_create_category
from stockbuddy.catalog.constraints import BARCODE_CONSTRAINTS, violated_constraint
from stockbuddy.catalog.errors import (
    DuplicateBarcode,
    DuplicateSku,
    NotDeleted,
    ProductInUse,
    UnknownCategory,
    UnknownProduct,
    UnknownSupplier,
    WarehouseForbidden,
)
from stockbuddy.catalog.ownership import may_open_stock, require_ownership, sorted_or_none
from stockbuddy.catalog.products import queries
from stockbuddy.catalog.products.model import Product, State
from stockbuddy.catalog.products.schemas import ProductCreate, ProductUpdate, RestoreProduct
from stockbuddy.catalog.replicas.open_documents import find_open_documents
from stockbuddy.catalog.replicas.stock_levels import find_stock, has_levels
from stockbuddy.catalog.replicas.warehouses import find_default_warehouse, find_default_warehouse_ids
from stockbuddy.catalog.suppliers.commands import find_or_create_supplier
from stockbuddy.catalog.versions import require_version
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.catalog import ProductCreated, ProductDeleted, ProductRestored, ProductUpdated
from stockbuddy.contracts.numbers import quantity_number

OpeningStock = dict[str, Any]


async def create_product(session: AsyncSession, caller: Principal, body: ProductCreate) -> Product:
    """Raises WarehouseForbidden if the caller may not open stock in the default warehouse."""
    fields = body.sent_fields()
    opening_quantity = fields.pop("quantity", None) or None
    if opening_quantity and not may_open_stock(caller.warehouse_ids, await find_default_warehouse_ids(session)):
        raise WarehouseForbidden()
    product = Product(
        **await _resolve_references(session, caller, fields),
        owner_id=caller.user_id,
        opening_quantity=opening_quantity,
    )
    session.add(product)
    await _flush(session)
    await _publish(
        session,
        product,
        ProductCreated,
        opening_quantity=opening_quantity,
        opening_warehouse_ids=sorted_or_none(caller.warehouse_ids),
    )
    return product


async def find_opening_stock(session: AsyncSession, body: ProductCreate) -> OpeningStock | None:
    """The members of a new product's response that show its opening stock; None without `quantity`, or while the
    default warehouse is unknown."""
    warehouse = await find_default_warehouse(session) if body.quantity else None
    if not body.quantity or warehouse is None:
        return None
    quantity = quantity_number(body.quantity)
    level = {
        "warehouse_id": warehouse.id,
        "warehouse": warehouse.name,
        "warehouse_code": warehouse.code,
        "on_hand": quantity,
        "reserved": 0,
        "available": quantity,
    }
    return {"quantity_in_stock": quantity, "available": quantity, "stock": [level]}


async def update_product(
    session: AsyncSession, caller: Principal, product_id: int, body: ProductUpdate, if_match: str | None
) -> Product:
    """Raises PreconditionFailed if `if_match` names another version."""
    product = await load_product_for_update(session, caller, product_id, if_match)
    fields = await _resolve_references(session, caller, body.sent_fields())
    if changes := product.update_fields(fields, clock.now()):
        await _flush(session)
        await _publish(session, product, ProductUpdated, changes=sorted(changes))
    return product


async def delete_product(session: AsyncSession, caller: Principal, product_id: int, if_match: str | None) -> None:
    """Raises ProductInUse if the product has stock or is in open documents, as far as the replicas show, or if its
    opening stock is still to be posted."""
    product = await load_product_for_update(session, caller, product_id, if_match)
    stock, documents = await find_stock(session, product_id), await find_open_documents(session, product_id)
    if stock or documents:
        raise ProductInUse(stock=stock, documents=documents)
    now = clock.now()
    if product.awaits_opening_stock(now) and not await has_levels(session, product_id):
        raise ProductInUse("The opening stock of this product is being posted.", stock=[], documents=[])
    product.update_fields({"deleted_at": now}, now)
    await _flush(session)
    await _publish(session, product, ProductDeleted)


async def restore_product(
    session: AsyncSession, caller: Principal, product_id: int, body: RestoreProduct | None
) -> Product:
    """Raises DuplicateSku or DuplicateBarcode, naming the product that has the SKU or a barcode by now; `body` may have
    a new SKU. A category or supplier that was deleted in the meantime is cleared."""
    product = await queries.lock_product(session, product_id)
    if product is None:
        raise UnknownProduct()
    require_ownership(caller, product.owner_id)
    if product.deleted_at is None:
        raise NotDeleted()
    values: dict[str, Any] = {"deleted_at": None, **(body.sent_fields() if body is not None else {})}
    if holder := await queries.find_sku_holder(session, values.get("sku", product.sku)):
        raise DuplicateSku(f"The product {holder['name']} has this SKU; send a new sku.", product=holder)
    if holder := await queries.find_barcode_holder(session, product.barcodes):
        raise DuplicateBarcode(f"The product {holder['name']} has one of the barcodes.", product=holder)
    if product.category_id is not None and not await queries.is_category_active(session, product.category_id):
        values["category_id"] = None
    if product.supplier_id is not None and not await queries.is_supplier_active(session, product.supplier_id):
        values["supplier_id"] = None
    product.update_fields(values, clock.now())
    await _flush(session)
    await _publish(session, product, ProductRestored)
    return product


async def update_image_digest(session: AsyncSession, product: Product, digest: str | None) -> None:
    """Record the image of the (locked) product; None if it has no image any more."""
    product.update_fields({"image_digest": digest}, clock.now())
    await session.flush()
    await _publish(session, product, ProductUpdated, changes=["image"])


async def load_product_for_update(
    session: AsyncSession, caller: Principal, product_id: int, if_match: str | None
) -> Product:
    """Lock a product that is not deleted. Raises UnknownProduct, NotOwner or PreconditionFailed."""
    return _require_changeable(caller, await queries.lock_product(session, product_id), if_match)


async def require_permission_to_change(
    session: AsyncSession, caller: Principal, product_id: int, if_match: str | None
) -> None:
    """Raises as load_product_for_update, without a lock: for a check before costly work."""
    _require_changeable(caller, await queries.find_product(session, product_id), if_match)


def _require_changeable(caller: Principal, product: Product | None, if_match: str | None) -> Product:
    if product is None or product.deleted_at is not None:
        raise UnknownProduct()
    require_ownership(caller, product.owner_id)
    require_version(if_match, product.version)
    return product


async def _publish(session: AsyncSession, product: Product, event_type: type[State], **details: Any) -> None:
    category = await queries.find_category_name(session, product.category_id)
    outbox.add(session, product.to_event(event_type, category, **details))


async def _resolve_references(session: AsyncSession, caller: Principal, fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` with the names of category and supplier replaced by ids. Raises UnknownCategory, UnknownSupplier,
    AmbiguousSupplier, or Unprocessable if two barcodes are spellings of one."""
    if await queries.has_equal_barcodes(session, fields.get("barcodes", [])):
        raise Unprocessable.field("barcodes", "contains a barcode twice, in two spellings", "barcode_twice")
    await _resolve_category(session, caller, fields)
    await _resolve_supplier(session, caller, fields)
    return fields


async def _resolve_category(session: AsyncSession, caller: Principal, fields: dict[str, Any]) -> None:
    is_named = "category" in fields
    name = fields.pop("category", None)
    if name is not None:
        fields["category_id"] = await find_or_create_category(session, caller.user_id, name)
    elif is_named:
        fields.setdefault("category_id", None)
    category_id = fields.get("category_id")
    if name is None and category_id is not None and not await queries.is_category_active(session, category_id):
        raise UnknownCategory()


async def _resolve_supplier(session: AsyncSession, caller: Principal, fields: dict[str, Any]) -> None:
    is_named = "supplier" in fields
    name = fields.pop("supplier", None)
    if name is not None:
        fields["supplier_id"] = await find_or_create_supplier(session, caller.user_id, name)
    elif is_named:
        fields.setdefault("supplier_id", None)
    supplier_id = fields.get("supplier_id")
    if name is None and supplier_id is not None and not await queries.is_supplier_active(session, supplier_id):
        raise UnknownSupplier()


async def _flush(session: AsyncSession) -> None:
    """Raises DuplicateSku or DuplicateBarcode."""
    try:
        await session.flush()
    except IntegrityError as error:
        constraint = violated_constraint(error)
        if constraint == "product_sku_unique":
            raise DuplicateSku() from error
        if constraint in BARCODE_CONSTRAINTS:
            raise DuplicateBarcode() from error
        raise
