"""Finds reset tokens and uses them up."""

from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.passwords.model import PasswordReset


async def user_id_of_reset(session: AsyncSession, digest: bytes, now: datetime) -> int | None:
    """Whom a token that still works belongs to."""
    wanted = select(PasswordReset.user_id).where(
        PasswordReset.digest == digest, PasswordReset.used_at.is_(None), PasswordReset.expires_at > now
    )
    return await session.scalar(wanted)


async def is_reset_newer_than(session: AsyncSession, user_id: int, moment: datetime) -> bool:
    wanted = exists().where(PasswordReset.user_id == user_id, PasswordReset.created_at > moment)
    return bool(await session.scalar(select(wanted)))


async def use_up_resets(session: AsyncSession, user_id: int, now: datetime) -> None:
    """No token of that user works any more."""
    unused = (PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None))
    await session.execute(update(PasswordReset).where(*unused).values(used_at=now))


async def delete_outdated(session: AsyncSession, *, expired_before: datetime) -> None:
    await session.execute(delete(PasswordReset).where(PasswordReset.expires_at < expired_before))
