"""What is written and read of the settings' copy."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.auth import SettingsChanged

_COPY = text("""
    UPDATE setting
    SET version = :version, negative_stock = :negative_stock, timezone = :timezone, currency = :currency,
        default_low_stock_threshold = :default_low_stock_threshold
    WHERE version < :version
""")


async def copy_settings(session: AsyncSession, settings: SettingsChanged) -> None:
    """The latest state wins."""
    await session.execute(
        _COPY,
        {
            "version": settings.version,
            "negative_stock": settings.negative_stock,
            "timezone": settings.timezone,
            "currency": settings.currency,
            "default_low_stock_threshold": settings.default_low_stock_threshold,
        },
    )


_PLACE = text("SELECT timezone, currency FROM setting")


class Place(NamedTuple):
    """Where the shop's days begin and end, and what it counts its money in."""

    timezone: str
    currency: str | None


async def fetch_place(session: AsyncSession) -> Place:
    return Place(*(await session.execute(_PLACE)).one())
