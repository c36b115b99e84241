"""What is read and written of the product copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.catalog import ProductState


@dataclass(frozen=True, slots=True)
class KnownProduct:
    """What a document needs to know of a product."""

    id: int
    sku: str
    name: str
    owner_id: int | None
    unit_price: Decimal
    cost_price: Decimal | None
    deleted: bool
    supplier_id: int | None


_COLUMNS = "p.id, p.sku, p.name, p.owner_id, p.unit_price, p.cost_price, p.deleted, p.supplier_id"
_BY_ID = f"SELECT {_COLUMNS} FROM product p WHERE id = ANY($1::bigint[])"
_BY_SKU = f"""
    SELECT k.sku AS reference, {_COLUMNS}
    FROM unnest($1::text[]) AS k(sku) JOIN product p ON lower(p.sku) = lower(k.sku) AND NOT p.deleted
    ORDER BY p.id
"""


async def find_products(
    connection: asyncpg.Connection, ids: Sequence[int], skus: Sequence[str]
) -> dict[int | str, KnownProduct]:
    """By id and by SKU as they were given; deleted ones by id only."""
    found: dict[int | str, KnownProduct] = {}
    if ids:
        for row in await connection.fetch(_BY_ID, ids):
            found[row["id"]] = KnownProduct(*row)
    if skus:
        for reference, *values in await connection.fetch(_BY_SKU, skus):
            found[reference] = KnownProduct(*values)
    return found


_COPY = text("""
    INSERT INTO product AS p (id, version, sku, name, category_id, category, owner_id, supplier_id, unit_price,
                              cost_price, low_stock_threshold, deleted, created_at)
    VALUES (:id, :version, :sku, :name, :category_id, :category, :owner_id, :supplier_id, :unit_price,
            :cost_price, :low_stock_threshold, :deleted, :created_at)
    ON CONFLICT (id) DO UPDATE
        SET version = excluded.version, sku = excluded.sku, name = excluded.name, category_id = excluded.category_id,
            category = excluded.category, owner_id = excluded.owner_id, supplier_id = excluded.supplier_id,
            unit_price = excluded.unit_price, cost_price = excluded.cost_price,
            low_stock_threshold = excluded.low_stock_threshold, deleted = excluded.deleted
        WHERE p.version < excluded.version
""")


async def copy_products(session: AsyncSession, states: Sequence[ProductState]) -> None:
    """The latest state wins, in whatever order they come."""
    # One order for everybody, so that two batches never wait for each other.
    ordered = sorted(states, key=lambda state: (state.product_id, state.version))
    await session.execute(
        _COPY,
        [
            {
                "id": state.product_id,
                "version": state.version,
                "sku": state.sku,
                "name": state.name,
                "category_id": state.category_id,
                "category": state.category,
                "owner_id": state.owner_id,
                "supplier_id": state.supplier_id,
                "unit_price": state.unit_price,
                "cost_price": state.cost_price,
                "low_stock_threshold": state.low_stock_threshold,
                "deleted": state.deleted,
                "created_at": state.created_at,
            }
            for state in ordered
        ],
    )


_OPENED = text("SELECT document FROM movement WHERE document = ANY(:documents)")


async def opened_already(session: AsyncSession, documents: Sequence[str]) -> set[str]:
    """Which of these opening documents are in the ledger."""
    return set(await session.scalars(_OPENED, {"documents": list(documents)}))


_OWNERS = text("SELECT DISTINCT owner_id FROM product WHERE id = ANY(:product_ids)")


async def owners_of(session: AsyncSession, product_ids: Sequence[int]) -> set[int | None]:
    return set(await session.scalars(_OWNERS, {"product_ids": list(product_ids)}))
