"""Reads the setup row, so that only one transaction at a time decides about the first admin."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.bootstrap.model import Setup


async def lock_setup(session: AsyncSession) -> Setup:
    return await session.get_one(Setup, True, with_for_update=True, populate_existing=True)
