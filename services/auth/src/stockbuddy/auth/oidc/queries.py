"""Queries of started sign-ins and identities."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.oidc.model import OidcIdentity, OidcSignIn


async def delete_sign_in(session: AsyncSession, digest: bytes, now: datetime) -> OidcSignIn | None:
    """The started sign-in, unless it has expired. Deleted: of concurrent calls, one finds it."""
    valid = (OidcSignIn.digest == digest, OidcSignIn.expires_at > now)
    return await session.scalar(delete(OidcSignIn).where(*valid).returning(OidcSignIn))


async def lock_identity(session: AsyncSession, issuer: str, subject: str) -> OidcIdentity | None:
    return await session.get(OidcIdentity, (issuer, subject), with_for_update=True)


async def delete_expired(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(OidcSignIn).where(OidcSignIn.expires_at < before))
