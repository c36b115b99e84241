"""Reads of categories."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.model import Category
from stockbuddy.catalog.ordering import Listed, list_by
from stockbuddy.chassis.http.pagination import PageQuery

_BY_NAME = text("""
    SELECT id FROM category WHERE lower(name) = lower(:name) AND deleted_at IS NULL FOR KEY SHARE
""")
_ADD_NAMED = text("""
    INSERT INTO category (name, owner_id) VALUES (:name, :owner_id)
    ON CONFLICT (lower(name)) WHERE deleted_at IS NULL DO NOTHING RETURNING id
""")
_COUNTS = text("""
    SELECT category_id, count(*) FROM product
    WHERE category_id = ANY(CAST(:ids AS bigint[])) AND deleted_at IS NULL GROUP BY category_id
""")
_IN_USE = text("""
    SELECT EXISTS (SELECT FROM product WHERE category_id = :id AND deleted_at IS NULL)
        OR EXISTS (SELECT FROM category WHERE parent_id = :id AND deleted_at IS NULL)
""")
_IS_BELOW = text("""
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM category WHERE id = :id
        UNION SELECT c.id, c.parent_id FROM category c JOIN above a ON c.id = a.parent_id
    ) SELECT EXISTS (SELECT FROM above WHERE id = :ancestor_id)
""")
_ONE_TREE_CHANGE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' category tree'))")


async def category_named(session: AsyncSession, name: str) -> int | None:
    """The living category of that name, whatever its case, locked against deletion."""
    found: int | None = await session.scalar(_BY_NAME, {"name": name})
    return found


async def add_category_named(session: AsyncSession, name: str, owner_id: int) -> int | None:
    """The new category's id, or None when another transaction has just made it."""
    added: int | None = await session.scalar(_ADD_NAMED, {"name": name, "owner_id": owner_id})
    return added


async def living_category(session: AsyncSession, category_id: int, *, to_change: bool = False) -> Category | None:
    statement = select(Category).where(Category.id == category_id, Category.deleted_at.is_(None))
    return await session.scalar(statement.with_for_update() if to_change else statement)


async def list_categories(
    session: AsyncSession, sort: str, search: str | None, parent_id: int | None, paging: PageQuery
) -> Listed[Category]:
    conditions: list[ColumnElement[bool]] = [Category.deleted_at.is_(None)]
    if search is not None:
        conditions.append(Category.name.icontains(search, autoescape=True))
    if parent_id is not None:
        conditions.append(Category.parent_id == parent_id)
    return await list_by(session, Category, conditions, sort, paging)


async def product_counts(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    """How many living products each of the categories has; those without any are left out."""
    if not ids:
        return {}
    rows = await session.execute(_COUNTS, {"ids": list(ids)})
    return {row[0]: row[1] for row in rows}


async def in_use(session: AsyncSession, category_id: int) -> bool:
    return bool(await session.scalar(_IN_USE, {"id": category_id}))


async def is_below(session: AsyncSession, category_id: int, ancestor_id: int) -> bool:
    """Whether the category is `ancestor_id` itself or stands anywhere below it."""
    return bool(await session.scalar(_IS_BELOW, {"id": category_id, "ancestor_id": ancestor_id}))


async def lock_tree(session: AsyncSession) -> None:
    """Two moves that are each fine could make a cycle together: they take turns until the end of the transaction."""
    await session.execute(_ONE_TREE_CHANGE_AT_A_TIME)
