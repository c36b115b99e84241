"""Replica of the system settings: one row."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.auth import SettingsChanged

DEFAULT_THRESHOLD = "(SELECT default_low_stock_threshold FROM setting)"
"""SQL for the threshold of products without one of their own."""

# Counts as a change of stock, because the totals of low-stock lists depend on the threshold.
_UPDATE = text("""
    WITH updated AS (
        UPDATE setting SET version = :version, default_low_stock_threshold = :threshold
        WHERE version < :version RETURNING 1
    ) SELECT count_changes(0, 0, 1) FROM updated
""")


async def replicate_settings(session: AsyncSession, event: SettingsChanged) -> None:
    await session.execute(_UPDATE, {"version": event.version, "threshold": event.default_low_stock_threshold})
