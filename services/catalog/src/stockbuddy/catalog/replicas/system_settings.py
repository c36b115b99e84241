"""The one row of settings that the catalogue keeps a copy of."""

from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DEFAULT_THRESHOLD = "(SELECT default_low_stock_threshold FROM setting)"
"""SQL for the threshold of products without one of their own."""

# Totals of what is low on stock change with it.
_WRITE = text("""
    WITH written AS (
        UPDATE setting SET version = :version, default_low_stock_threshold = :threshold
        WHERE version < :version RETURNING 1
    ) SELECT count_changes(0, 0, 1) FROM written
""")


async def write_settings(session: AsyncSession, version: int, default_threshold: Decimal) -> None:
    """An older version than is known changes nothing."""
    await session.execute(_WRITE, {"version": version, "threshold": default_threshold})
