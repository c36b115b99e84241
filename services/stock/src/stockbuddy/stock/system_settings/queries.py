"""What is written and read of the settings' copy."""

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
