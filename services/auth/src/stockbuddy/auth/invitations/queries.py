"""Queries of invitations."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.invitations.model import Invitation


async def find_invitation(session: AsyncSession, invitation_id: int) -> Invitation | None:
    return await session.get(Invitation, invitation_id)


async def find_invitation_by_token(session: AsyncSession, token_digest: bytes) -> Invitation | None:
    return await session.scalar(select(Invitation).where(Invitation.token_digest == token_digest))


async def lock_invitation_by_token(session: AsyncSession, token_digest: bytes) -> Invitation | None:
    statement = select(Invitation).where(Invitation.token_digest == token_digest).with_for_update()
    return await session.scalar(statement.execution_options(populate_existing=True))


async def lock_invitation(session: AsyncSession, invitation_id: int) -> Invitation | None:
    return await session.get(Invitation, invitation_id, with_for_update=True)
