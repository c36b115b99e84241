"""Keeps the copy of the system's settings: the newest version heard wins."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.system_settings.queries import write_settings
from stockbuddy.contracts.auth import SettingsChanged


async def project_settings(session: AsyncSession, event: SettingsChanged) -> None:
    await write_settings(session, event.version, event.default_low_stock_threshold)
