"""Queries of confirmation tokens."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.profile.model import EmailConfirmation


async def find_confirmation(session: AsyncSession, digest: bytes, now: datetime) -> EmailConfirmation | None:
    """The confirmation of a valid token."""
    statement = select(EmailConfirmation).where(
        EmailConfirmation.digest == digest, EmailConfirmation.used_at.is_(None), EmailConfirmation.expires_at > now
    )
    return await session.scalar(statement.execution_options(populate_existing=True))


async def count_confirmations(session: AsyncSession, user_id: int, since: datetime, email: str | None = None) -> int:
    """Tokens created for the user after `since`; with `email` only those for that address."""
    statement = select(func.count()).where(EmailConfirmation.user_id == user_id, EmailConfirmation.created_at > since)
    if email is not None:
        statement = statement.where(EmailConfirmation.email == email)
    return (await session.execute(statement)).scalar_one()


async def delete_expired(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(EmailConfirmation).where(EmailConfirmation.expires_at < before))
