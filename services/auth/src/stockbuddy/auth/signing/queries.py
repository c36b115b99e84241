"""Reads signing keys, and makes replicas take turns when one is to be made."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.signing.model import SigningKey


async def all_keys(session: AsyncSession) -> Sequence[SigningKey]:
    """Oldest first."""
    return (await session.scalars(select(SigningKey).order_by(SigningKey.signs_from, SigningKey.kid))).all()


async def lock_keys(session: AsyncSession) -> None:
    """Until the transaction ends no other replica makes or drops a key."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("auth signing keys"))))


async def delete_keys(session: AsyncSession, kids: Sequence[str]) -> None:
    await session.execute(delete(SigningKey).where(SigningKey.kid.in_(kids)))
