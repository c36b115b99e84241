"""Replica of the system settings: one row."""

from zoneinfo import ZoneInfo

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
# With a version of its own: its queue is newer than that of the other settings.
_UPDATE_TIMEZONE = text("""
    UPDATE setting SET timezone_version = :version, timezone = :timezone WHERE timezone_version < :version
""")


async def replicate_settings(session: AsyncSession, event: SettingsChanged) -> None:
    await session.execute(_UPDATE, {"version": event.version, "threshold": event.default_low_stock_threshold})


async def replicate_timezone(session: AsyncSession, event: SettingsChanged) -> None:
    await session.execute(_UPDATE_TIMEZONE, {"version": event.version, "timezone": event.timezone})


async def load_company_zone(session: AsyncSession) -> ZoneInfo:
    """UTC until auth has published its settings."""
    return ZoneInfo((await session.execute(text("SELECT timezone FROM setting"))).scalar_one())
