"""Replica of catalog's categories: their names, and which one contains which."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.catalog import CategoryState

_UPSERT = text("""
    INSERT INTO category AS c (id, version, name, parent_id)
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:names AS text[]),
                         CAST(:parent_ids AS bigint[])) AS k(id, version, name, parent_id)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, name = excluded.name, parent_id = excluded.parent_id
        WHERE c.version <= excluded.version
""")
# FOR UPDATE in id order: two concurrent renames would otherwise deadlock.
_RENAME_IN_PRODUCTS = text("""
    UPDATE product p SET category = renamed.name
    FROM (SELECT p.id, c.name FROM product p JOIN category c ON c.id = p.category_id
          WHERE p.category_id = ANY(:ids) AND p.category IS DISTINCT FROM c.name ORDER BY p.id FOR UPDATE OF p) renamed
    WHERE p.id = renamed.id
""")
_TREE = """
    WITH RECURSIVE below AS (
        SELECT id FROM category WHERE lower(name) = lower({name})
        UNION SELECT c.id FROM category c JOIN below b ON c.parent_id = b.id
    ) SELECT id FROM below
"""


async def replicate_categories(session: AsyncSession, states: Sequence[CategoryState]) -> None:
    """Store the latest states, and the latest names in the category's products. Deleted categories are kept: reports
    include their products of the past."""
    latest = {state.category_id: state for state in sorted(states, key=lambda state: state.version)}
    columns = {
        "ids": list(latest),
        "versions": [state.version for state in latest.values()],
        "names": [state.name for state in latest.values()],
        "parent_ids": [state.parent_id for state in latest.values()],
    }
    await session.execute(_UPSERT, columns)
    await session.execute(_RENAME_IN_PRODUCTS, {"ids": list(latest)})


def is_in_category_sql(name: str, product: str = "p") -> str:
    """The condition that a product is in the category of that name, or in one below it. `name`: the placeholder of a
    text; null selects all products."""
    given = f"CAST({name} AS text)"
    return f"({given} IS NULL OR {product}.category_id IN ({_TREE.format(name=given)}))"
