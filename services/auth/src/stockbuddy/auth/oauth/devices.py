"""Authorizations of devices without a browser (RFC 8628): the device shows a code, which a user enters elsewhere."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.grant_commands import IssuedGrant, create_grant
from stockbuddy.auth.apps.model import App
from stockbuddy.auth.crypto import SecretBox, create_secret, digest
from stockbuddy.auth.oauth import queries
from stockbuddy.auth.oauth.errors import AccessDenied, AuthorizationPending, ExpiredDeviceCode, OAuthError, SlowDown
from stockbuddy.auth.oauth.model import DeviceAuthorization
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime import clock

LIFETIME = timedelta(minutes=10)
INTERVAL_SECONDS = 5
SLOW_DOWN_SECONDS = 5
"""How much each poll that comes too early adds to the interval (RFC 8628 §3.5)."""
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that no words appear, and without digits (RFC 8628 §6.1)."""
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class StartedAuthorization:
    """`device_code` stays on the device; its user enters `user_code`."""

    device_code: str
    user_code: str


def start_authorization(
    session: AsyncSession, app: App, scopes: list[str], secret_box: SecretBox
) -> StartedAuthorization:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    user_code, device_code = f"{letters[:4]}-{letters[4:]}", create_secret()
    started = DeviceAuthorization(
        digest=digest(device_code),
        user_code_digest=digest_user_code(secret_box, user_code),
        app_id=app.id,
        scopes=scopes,
        interval_seconds=INTERVAL_SECONDS,
        expires_at=clock.now() + LIFETIME,
    )
    session.add(started)
    return StartedAuthorization(device_code, user_code)


def digest_user_code(secret_box: SecretBox, user_code: str) -> bytes:
    """Of the letters alone: people leave out the hyphen, and do not mind capitals."""
    letters = "".join(character for character in user_code.upper() if character in _ALPHABET)
    return secret_box.keyed_digest(f"user code\n{letters}")


async def decide(
    session: AsyncSession, user_code: str, user_id: int, secret_box: SecretBox, *, is_approved: bool
) -> bool:
    """Record what the user has decided. False if the code is unknown, expired or decided."""
    now = clock.now()
    started = await queries.find_undecided(session, digest_user_code(secret_box, user_code), now, for_update=True)
    if started is None:
        return False
    started.user_id, started.is_approved = user_id, is_approved
    return True


async def poll(
    session: AsyncSession, app: App, device_code: str, settings: AuthSettings
) -> IssuedGrant | OAuthError | None:
    """The grant, or the error that tells the device what to do, or None if the code is unknown. The caller must commit
    in each case. `app` is held (`find_app`)."""
    started = await queries.lock_device_authorization(session, digest(device_code))
    now = clock.now()
    if started is None or started.app_id != app.id:
        return None
    if started.expires_at <= now:
        return ExpiredDeviceCode()
    if started.is_approved is None:
        return _wait(started, now)
    await session.delete(started)
    if not started.is_approved or started.user_id is None:
        return AccessDenied()
    return await create_grant(session, app, started.user_id, started.scopes, settings)


def _wait(started: DeviceAuthorization, now: datetime) -> OAuthError:
    earliest = started.polled_at and started.polled_at + timedelta(seconds=started.interval_seconds)
    started.polled_at = now
    if earliest is not None and now < earliest:
        started.interval_seconds += SLOW_DOWN_SECONDS
        return SlowDown()
    return AuthorizationPending()
