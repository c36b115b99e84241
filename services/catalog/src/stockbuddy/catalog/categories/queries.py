"""Reads of categories."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_BY_NAME = text("""
    SELECT id FROM category WHERE lower(name) = lower(:name) AND deleted_at IS NULL FOR KEY SHARE
""")
_ADD_NAMED = text("""
    INSERT INTO category (name, owner_id) VALUES (:name, :owner_id)
    ON CONFLICT (lower(name)) WHERE deleted_at IS NULL DO NOTHING RETURNING id
""")


async def category_named(session: AsyncSession, name: str) -> int | None:
    """The living category of that name, whatever its case, locked against deletion."""
    found: int | None = await session.scalar(_BY_NAME, {"name": name})
    return found


async def add_category_named(session: AsyncSession, name: str, owner_id: int) -> int | None:
    """The new category's id, or None when another transaction has just made it."""
    added: int | None = await session.scalar(_ADD_NAMED, {"name": name, "owner_id": owner_id})
    return added
