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


async def get_registration_role(session: AsyncSession) -> str:
    """The role of users who register themselves."""
    return (await session.execute(select(SystemSettings.registration_role))).scalar_one()


async def requires_second_factor(session: AsyncSession, role: str) -> bool:
    """Whether users of this role must log in with a second factor."""
    return role in await get_second_factor_roles(session)


async def get_second_factor_roles(session: AsyncSession) -> list[str]:
    return (await session.execute(select(SystemSettings.second_factor_roles))).scalar_one()


async def get_company_name(session: AsyncSession) -> str:
    return (await session.execute(select(SystemSettings.company_name))).scalar_one()
