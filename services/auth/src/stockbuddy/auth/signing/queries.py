"""Queries of signing keys."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.signing.model import SigningKey


async def list_keys(session: AsyncSession) -> Sequence[SigningKey]:
    """All keys, in order of `signs_from`."""
    return (await session.scalars(select(SigningKey).order_by(SigningKey.signs_from, SigningKey.kid))).all()


async def lock_keys(session: AsyncSession) -> Sequence[SigningKey]:
    """All keys, in order of `signs_from`. An advisory lock keeps other replicas from creating or deleting keys until
    the transaction ends: row locks would not exclude new rows."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("auth signing keys"))))
    return await list_keys(session)


async def delete_keys(session: AsyncSession, kids: Sequence[str]) -> None:
    await session.execute(delete(SigningKey).where(SigningKey.kid.in_(kids)))
