"""Challenges: logins whose password was verified and whose second factor is awaited."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.errors import SecondFactorRequired, SecondFactorSetupRequired
from stockbuddy.auth.factors.queries import list_passkeys
from stockbuddy.auth.factors.relying_party import RelyingParty
from stockbuddy.auth.logins.model import LoginChallenge
from stockbuddy.auth.system_settings.queries import requires_second_factor
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.runtime import clock

CHALLENGE_LIFETIME = timedelta(minutes=5)


async def create_challenge_if_required(
    session: AsyncSession, user: User, relying_party: RelyingParty, *, with_cookie: bool
) -> SecondFactorRequired | SecondFactorSetupRequired | None:
    """The error that ends the first step of the login, to be raised after the commit; None if the password suffices.
    `with_cookie`: a browser logs in."""
    if not user.has_second_factor and not await requires_second_factor(session, user.role):
        return None
    challenge, now = create_secret(), clock.now()
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
    extra: dict[str, Any] = {"challenge": challenge, "expires_in": int(CHALLENGE_LIFETIME.total_seconds())}
    if passkeys := await list_passkeys(session, user.id, usable_only=True):
        extra["passkey_options"] = relying_party.request_options(digest(challenge), passkeys)
    error = error_type(**extra)
    error.headers["Cache-Control"] = "no-store"
    return error
