"""Makes the setup token and the admins. The first admin needs the token, later ones another admin."""

import hmac
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import SetupTokenInvalid
from stockbuddy.auth.bootstrap.queries import lock_setup
from stockbuddy.auth.crypto import digest, make_secret
from stockbuddy.auth.users.queries import is_any_admin


async def make_setup_token(session: AsyncSession, *, again: bool = False) -> str | None:
    """A new token while no admin exists; None when there is one, or when a token was made before (unless `again`)."""
    setup = await lock_setup(session)
    if await is_any_admin(session) or (setup.token_digest is not None and not again):
        return None
    token = make_secret()
    setup.token_digest = digest(token)
    setup.made_at = datetime.now(UTC)
    return token


async def claim_setup(session: AsyncSession, setup_token: str | None, *, is_token_needed: bool) -> bool:
    """True while no admin exists, and for as long as the transaction lasts nobody else may claim it.
    Raises SetupTokenInvalid when it is claimed without the right token."""
    if await is_any_admin(session):
        return False
    setup = await lock_setup(session)
    if await is_any_admin(session):
        return False  # Somebody else was first meanwhile.
    if is_token_needed and not _is_right(setup_token, setup.token_digest):
        raise SetupTokenInvalid()
    setup.token_digest = None
    return True


def _is_right(token: str | None, token_digest: bytes | None) -> bool:
    return token is not None and token_digest is not None and hmac.compare_digest(digest(token), token_digest)
