"""Replica of auth's system settings: company-wide defaults that warehouses and products override."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.contracts.auth import SettingsChanged

_UPDATE = text("""
    UPDATE setting
    SET version = :version, negative_stock = :negative_stock, timezone = :timezone, currency = :currency,
        default_low_stock_threshold = :default_low_stock_threshold
    WHERE version < :version
""")
_LOCALE = text("SELECT timezone, currency FROM setting")


class CompanyLocale(NamedTuple):
    """`timezone`: IANA name; `currency`: ISO 4217 code, None until auth has published its settings."""

    timezone: str
    currency: str | None


async def replicate_settings(session: AsyncSession, states: Sequence[SettingsChanged]) -> None:
    """Apply the state with the highest version."""
    await session.execute(_UPDATE, max(states, key=lambda state: state.version).model_dump())


async def load_company_locale(session: AsyncSession) -> CompanyLocale:
    return CompanyLocale(*(await session.execute(_LOCALE)).one())


async def load_currency(database: Database) -> str | None:
    async with database.reading() as session:
        return (await load_company_locale(session)).currency
