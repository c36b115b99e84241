"""Queries of authorization codes and device authorizations."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.oauth.model import AuthorizationCode, DeviceAuthorization


async def lock_code(session: AsyncSession, digest: bytes) -> AuthorizationCode | None:
    """Used and expired ones included."""
    return await session.get(AuthorizationCode, digest, with_for_update=True, populate_existing=True)


async def lock_device_authorization(session: AsyncSession, digest: bytes) -> DeviceAuthorization | None:
    """Expired ones included."""
    return await session.get(DeviceAuthorization, digest, with_for_update=True, populate_existing=True)


async def find_undecided(
    session: AsyncSession, user_code_digest: bytes, now: datetime, *, for_update: bool = False
) -> DeviceAuthorization | None:
    """The device authorization that awaits a user's decision."""
    statement = select(DeviceAuthorization).where(
        DeviceAuthorization.user_code_digest == user_code_digest,
        DeviceAuthorization.expires_at > now,
        DeviceAuthorization.is_approved.is_(None),
    )
    return await session.scalar(statement.with_for_update() if for_update else statement)


async def delete_expired_codes(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < before))


async def delete_expired_devices(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(DeviceAuthorization).where(DeviceAuthorization.expires_at < before))
