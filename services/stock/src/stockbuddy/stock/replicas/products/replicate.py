"""Applies catalog's product events to the replica; the state with the highest version wins."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.contracts.catalog import ProductState
from stockbuddy.stock.replicas.waiter import REPLICA_UPDATED

# A renamed category (version > 0) may reach us before a product event with its former name. The same version again:
# republished, with a part that an earlier release did not store.
_UPSERT_PRODUCT = text("""
    INSERT INTO product AS p (id, version, sku, name, category_id, category, owner_id, supplier_id, unit_price,
                              cost_price, low_stock_threshold, deleted, created_at, inactive_since, deleted_at)
    VALUES (:product_id, :version, :sku, :name, :category_id,
            coalesce((SELECT c.name FROM category c WHERE c.id = :category_id AND c.version > 0), :category),
            :owner_id, :supplier_id, :unit_price, :cost_price, :low_stock_threshold, :deleted, :created_at,
            CAST(:inactive_since AS timestamptz), CAST(:deleted_at AS timestamptz))
    ON CONFLICT (id) DO UPDATE
        SET version = excluded.version, sku = excluded.sku, name = excluded.name, category_id = excluded.category_id,
            category = excluded.category, owner_id = excluded.owner_id, supplier_id = excluded.supplier_id,
            unit_price = excluded.unit_price, cost_price = excluded.cost_price,
            low_stock_threshold = excluded.low_stock_threshold, deleted = excluded.deleted,
            inactive_since = CASE WHEN excluded.inactive_since IS NOT NULL
                THEN coalesce(p.inactive_since, excluded.inactive_since) END,
            deleted_at = CASE WHEN excluded.deleted_at IS NOT NULL
                THEN coalesce(p.deleted_at, excluded.deleted_at) END
        WHERE p.version <= excluded.version
""")
_INSERT_CATEGORIES = text("""
    INSERT INTO category (id, version, name)
    SELECT id, 0, name FROM unnest(CAST(:ids AS bigint[]), CAST(:names AS text[])) AS k(id, name) ORDER BY id
    ON CONFLICT DO NOTHING
""")
_LOCK_CATEGORIES = text("SELECT id FROM category WHERE id = ANY(:ids) ORDER BY id FOR SHARE")


async def replicate_products(session: AsyncSession, states: Sequence[ProductState]) -> None:
    await _lock_categories(session, states)
    # All transactions lock products in the order of their ids, so that two batches cannot deadlock.
    ordered = sorted(states, key=lambda state: (state.product_id, state.version))
    await session.execute(_UPSERT_PRODUCT, [_to_row(state) for state in ordered])
    signal_on_commit(session, REPLICA_UPDATED)


def _to_row(state: ProductState) -> dict[str, Any]:
    return state.model_dump() | {
        "inactive_since": None if state.is_active else state.updated_at,
        "deleted_at": state.updated_at if state.deleted else None,
    }


async def _lock_categories(session: AsyncSession, states: Sequence[ProductState]) -> None:
    """Lock the categories, so that a concurrent rename finds (and updates) the products inserted here."""
    names = {state.category_id: state.category for state in states if state.category_id and state.category}
    if names:
        await session.execute(_INSERT_CATEGORIES, {"ids": list(names), "names": list(names.values())})
        await session.execute(_LOCK_CATEGORIES, {"ids": list(names)})
