"""Reads of categories, and the locks that their changes need."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.model import Category
from stockbuddy.catalog.categories.schemas import CategoryFilter
from stockbuddy.catalog.errors import UnknownCategory
from stockbuddy.chassis.http.pagination import PageSlice, fetch_page
from stockbuddy.chassis.postgres.text_search import contains_text

# FOR KEY SHARE: the row can't be deleted until this transaction ends, but other transactions may use it, too.
_ID_BY_NAME = text("""
    SELECT id FROM category WHERE lower(name) = lower(:name) AND deleted_at IS NULL FOR KEY SHARE
""")
_INSERT_BY_NAME = text("""
    INSERT INTO category (name, owner_id) VALUES (:name, :owner_id)
    ON CONFLICT (lower(name)) WHERE deleted_at IS NULL DO NOTHING RETURNING id
""")
_COUNT_PRODUCTS = text("""
    SELECT category_id, count(*) FROM product
    WHERE category_id = ANY(CAST(:ids AS bigint[])) AND deleted_at IS NULL GROUP BY category_id
""")
_IS_IN_USE = text("""
    SELECT EXISTS (SELECT FROM product WHERE category_id = :id AND deleted_at IS NULL)
        OR EXISTS (SELECT FROM category WHERE parent_id = :id AND deleted_at IS NULL)
""")
_IS_BELOW = text("""
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM category WHERE id = :id
        UNION SELECT c.id, c.parent_id FROM category c JOIN above a ON c.id = a.parent_id
    ) SELECT EXISTS (SELECT FROM above WHERE id = :ancestor_id)
""")
_LOCK_TREE = text("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' category tree'))")


async def find_category_id(session: AsyncSession, name: str) -> int | None:
    """The active category with that name, without regard to case, locked against deletion."""
    category_id: int | None = await session.scalar(_ID_BY_NAME, {"name": name})
    return category_id


async def insert_category_if_absent(session: AsyncSession, name: str, owner_id: int) -> int | None:
    """The new category's id; None if a concurrent transaction has created one with this name."""
    category_id: int | None = await session.scalar(_INSERT_BY_NAME, {"name": name, "owner_id": owner_id})
    return category_id


async def get_active_category(session: AsyncSession, category_id: int, *, for_update: bool = False) -> Category:
    """Raises UnknownCategory."""
    statement = select(Category).where(Category.id == category_id, Category.deleted_at.is_(None))
    category = await session.scalar(statement.with_for_update() if for_update else statement)
    if category is None:
        raise UnknownCategory()
    return category


async def list_categories(session: AsyncSession, query: CategoryFilter) -> PageSlice[Category]:
    statement = select(Category).where(Category.deleted_at.is_(None))
    if query.search is not None:
        statement = statement.where(contains_text(query.search, Category.name))
    if query.parent_id is not None:
        statement = statement.where(Category.parent_id == query.parent_id)
    return await fetch_page(session, statement, Category.sort_order(query.sort_by), query)


async def count_products(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    """The number of products per category, without deleted ones; categories without products are absent."""
    if not ids:
        return {}
    rows = await session.execute(_COUNT_PRODUCTS, {"ids": list(ids)})
    return {row[0]: row[1] for row in rows}


async def is_in_use(session: AsyncSession, category_id: int) -> bool:
    return bool(await session.scalar(_IS_IN_USE, {"id": category_id}))


async def is_below(session: AsyncSession, category_id: int, ancestor_id: int) -> bool:
    """True if the category is `ancestor_id` itself or a descendant of it."""
    return bool(await session.scalar(_IS_BELOW, {"id": category_id, "ancestor_id": ancestor_id}))


async def lock_tree(session: AsyncSession) -> None:
    """Serialise changes of the tree until the end of the transaction: two concurrent moves, each valid alone, could
    create a cycle together."""
    await session.execute(_LOCK_TREE)
