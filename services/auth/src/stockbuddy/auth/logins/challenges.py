"""Challenges: logins whose password was verified and whose second factor is awaited."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.errors import SecondFactorRequired, SecondFactorSetupRequired
from stockbuddy.auth.logins.model import LoginChallenge
from stockbuddy.auth.system_settings.queries import requires_second_factor
from stockbuddy.auth.users.model import User

CHALLENGE_LIFETIME = timedelta(minutes=5)


async def create_challenge_if_required(
    session: AsyncSession, user: User, *, with_cookie: bool
) -> SecondFactorRequired | SecondFactorSetupRequired | None:
    """The error that ends the first step of the login, to be raised after the commit; None if the password suffices.
    `with_cookie`: a browser logs in."""
    if not user.has_second_factor and not await requires_second_factor(session, user.role):
        return None
    challenge, now = create_secret(), datetime.now(UTC)
    expires_at = now + CHALLENGE_LIFETIME
    session.add(
        LoginChallenge(
            digest=digest(challenge),
            user_id=user.id,
            with_cookie=with_cookie,
            created_at=now,
            expires_at=expires_at,
        )
    )
    error_type = SecondFactorRequired if user.has_second_factor else SecondFactorSetupRequired
    error = error_type(challenge=challenge, expires_in=int(CHALLENGE_LIFETIME.total_seconds()))
    error.headers["Cache-Control"] = "no-store"
    return error
