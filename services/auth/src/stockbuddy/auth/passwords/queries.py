"""Queries of password reset tokens."""

from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.passwords.model import PasswordReset


async def find_user_id(session: AsyncSession, digest: bytes, now: datetime) -> int | None:
    """The user of a valid token."""
    statement = select(PasswordReset.user_id).where(
        PasswordReset.digest == digest, PasswordReset.used_at.is_(None), PasswordReset.expires_at > now
    )
    return await session.scalar(statement)


async def has_token_since(session: AsyncSession, user_id: int, moment: datetime) -> bool:
    condition = exists().where(PasswordReset.user_id == user_id, PasswordReset.created_at > moment)
    return bool(await session.scalar(select(condition)))


async def invalidate_tokens(session: AsyncSession, user_id: int, now: datetime) -> None:
    """Mark all tokens of the user as used."""
    unused = (PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None))
    await session.execute(update(PasswordReset).where(*unused).values(used_at=now))


async def delete_expired(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(PasswordReset).where(PasswordReset.expires_at < before))
