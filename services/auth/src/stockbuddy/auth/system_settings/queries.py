"""Queries of the settings."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.system_settings.model import SystemSettings


async def get_settings(session: AsyncSession) -> SystemSettings:
    return await session.get_one(SystemSettings, True)


async def lock_settings(session: AsyncSession) -> SystemSettings:
    return await session.get_one(SystemSettings, True, with_for_update=True, populate_existing=True)


async def is_registration_open(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(SystemSettings.registration_open)))


async def get_company_name(session: AsyncSession) -> str:
    return (await session.execute(select(SystemSettings.company_name))).scalar_one()
