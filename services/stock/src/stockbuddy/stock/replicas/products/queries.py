"""What is read and written of the product copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.catalog import CategoryState, ProductState


@dataclass(frozen=True, slots=True)
class ProductReplica:
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
) -> dict[int | str, ProductReplica]:
    """By id and by SKU as they were given; deleted ones by id only."""
    found: dict[int | str, ProductReplica] = {}
    if ids:
        for row in await connection.fetch(_BY_ID, ids):
            found[row["id"]] = ProductReplica(*row)
    if skus:
        for reference, *values in await connection.fetch(_BY_SKU, skus):
            found[reference] = ProductReplica(*values)
    return found


_COPY = text("""
    INSERT INTO product AS p (id, version, sku, name, category_id, category, owner_id, supplier_id, unit_price,
                              cost_price, low_stock_threshold, deleted, created_at)
    VALUES (:id, :version, :sku, :name, :category_id,
            coalesce((SELECT c.name FROM category c WHERE c.id = :category_id AND c.version > 0), :category),
            :owner_id, :supplier_id, :unit_price, :cost_price, :low_stock_threshold, :deleted, :created_at)
    ON CONFLICT (id) DO UPDATE
        SET version = excluded.version, sku = excluded.sku, name = excluded.name, category_id = excluded.category_id,
            category = excluded.category, owner_id = excluded.owner_id, supplier_id = excluded.supplier_id,
            unit_price = excluded.unit_price, cost_price = excluded.cost_price,
            low_stock_threshold = excluded.low_stock_threshold, deleted = excluded.deleted
        WHERE p.version < excluded.version
""")


async def copy_products(session: AsyncSession, states: Sequence[ProductState]) -> None:
    """The latest state wins, in whatever order they come, and the category's own word over the product's."""
    # One order for everybody, so that two batches never wait for each other.
    await _hold_categories(session, states)
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


_KNOW_CATEGORIES = text("""
    INSERT INTO category (id, version, name)
    SELECT id, 0, name FROM unnest(CAST(:ids AS bigint[]), CAST(:names AS text[])) AS k(id, name) ORDER BY id
    ON CONFLICT DO NOTHING
""")
_HOLD_CATEGORIES = text("SELECT id FROM category WHERE id = ANY(:ids) ORDER BY id FOR SHARE")


async def _hold_categories(session: AsyncSession, states: Sequence[ProductState]) -> None:
    """Nobody names these categories anew before the products are here: whoever does then finds all of them."""
    names = {state.category_id: state.category for state in states if state.category_id and state.category}
    if names:
        await session.execute(_KNOW_CATEGORIES, {"ids": list(names), "names": list(names.values())})
        await session.execute(_HOLD_CATEGORIES, {"ids": list(names)})


_NAME_CATEGORIES = text("""
    INSERT INTO category AS c (id, version, name)
    SELECT id, version, name
    FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:names AS text[])) AS k(id, version, name)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, name = excluded.name WHERE c.version < excluded.version
""")
_NAME_THEIRS = text("""
    UPDATE product p SET category = named.name
    FROM (SELECT p.id, c.name FROM product p JOIN category c ON c.id = p.category_id
          WHERE p.category_id = ANY(:ids) AND p.category IS DISTINCT FROM c.name ORDER BY p.id FOR UPDATE OF p) named
    WHERE p.id = named.id
""")


async def name_categories(session: AsyncSession, states: Sequence[CategoryState]) -> None:
    """The latest name wins, on every product of the category."""
    latest = {state.category_id: state for state in sorted(states, key=lambda state: state.version)}
    ids = list(latest)
    versions, names = [state.version for state in latest.values()], [state.name for state in latest.values()]
    await session.execute(_NAME_CATEGORIES, {"ids": ids, "versions": versions, "names": names})
    await session.execute(_NAME_THEIRS, {"ids": ids})


_OPENED = text("SELECT document FROM movement WHERE document = ANY(:documents)")


async def opened_already(session: AsyncSession, documents: Sequence[str]) -> set[str]:
    """Which of these opening documents are in the ledger."""
    return set(await session.scalars(_OPENED, {"documents": list(documents)}))


_OWNERS = text("SELECT DISTINCT owner_id FROM product WHERE id = ANY(:product_ids)")


async def owners_of(session: AsyncSession, product_ids: Sequence[int]) -> set[int | None]:
    return set(await session.scalars(_OWNERS, {"product_ids": list(product_ids)}))
