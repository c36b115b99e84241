"""Creates and redeems the bootstrap token."""

import hmac

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.bootstrap.model import BootstrapToken
from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.errors import InvalidBootstrapToken
from stockbuddy.auth.users.queries import has_admin
from stockbuddy.chassis.runtime import clock


async def create_bootstrap_token(session: AsyncSession, *, replace: bool = False) -> str | None:
    """A new token; None if an admin exists, or if a token exists and `replace` is false."""
    stored = await _lock(session)
    if await has_admin(session) or (stored.digest is not None and not replace):
        return None
    token = create_secret()
    stored.digest = digest(token)
    stored.created_at = clock.now()
    return token


async def redeem_bootstrap_token(session: AsyncSession, token: str | None, *, is_required: bool) -> bool:
    """True if no admin exists: the caller may register the first one in this transaction, which excludes concurrent
    registrations. False if an admin exists. Raises InvalidBootstrapToken."""
    if await has_admin(session):
        return False
    stored = await _lock(session)
    if await has_admin(session):
        return False  # a concurrent transaction registered one before the lock was granted
    if is_required and not _matches(token, stored.digest):
        raise InvalidBootstrapToken()
    stored.digest = None
    return True


async def _lock(session: AsyncSession) -> BootstrapToken:
    return await session.get_one(BootstrapToken, True, with_for_update=True, populate_existing=True)


def _matches(token: str | None, stored_digest: bytes | None) -> bool:
    return token is not None and stored_digest is not None and hmac.compare_digest(digest(token), stored_digest)
