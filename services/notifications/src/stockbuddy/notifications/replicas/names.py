"""Data replica of the names of products and warehouses, by subject (`product/42`), for the texts of notifications."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_UPSERT = text("""
    INSERT INTO name_replica AS replica (subject, version, name) VALUES (:subject, :version, :name)
    ON CONFLICT (subject) DO UPDATE SET version = excluded.version, name = excluded.name
    WHERE replica.version < excluded.version
""")
_NAMES = text("SELECT subject, name FROM name_replica WHERE subject = ANY(:subjects)")


async def upsert_name(session: AsyncSession, subject: str, version: int, name: str) -> None:
    await session.execute(_UPSERT, {"subject": subject, "version": version, "name": name})


async def find_names(session: AsyncSession, subjects: Sequence[str]) -> dict[str, str]:
    """Names by subject, without those that are not replicated yet."""
    rows = await session.execute(_NAMES, {"subjects": list(subjects)})
    return {row.subject: row.name for row in rows}
