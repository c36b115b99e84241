"""Turns an API key or a browser's cookie into an access token."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries as api_keys
from stockbuddy.auth.api_keys.model import RANKS, ApiKey, common_warehouses
from stockbuddy.auth.errors import InvalidApiKey, InvalidBrowserSession
from stockbuddy.auth.crypto import digest
from stockbuddy.auth.sessions import queries as sessions
from stockbuddy.auth.sessions.commands import principal_of
from stockbuddy.auth.signing.keys import SigningKeys
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import user_by_id
from stockbuddy.chassis.http.tokens import Principal

NOTED_EVERY = timedelta(seconds=30)
"""A use is noted here no oftener, so that a busy key is not a busy row; the gateway reports the later ones."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A token for `user`, and how long it lives."""

    access_token: str
    expires_in_seconds: int
    user: User


async def exchange_api_key(
    session: AsyncSession, keys: SigningKeys, secret: str, *, lifetime_seconds: int, key_id: int | None = None
) -> Exchanged:
    """`session` commits each statement by itself. A `key_id` must be the key's. Raises InvalidApiKey."""
    now = datetime.now(UTC)
    found = await api_keys.key_and_owner(session, digest(secret), now)
    if found is None or key_id not in (None, found[0].id):
        raise InvalidApiKey()
    key, owner = found
    if key.last_used_at is None or now - key.last_used_at > NOTED_EVERY:
        await api_keys.note_uses(session, {key.id: now})
    if key.expires_at is not None:
        lifetime_seconds = min(lifetime_seconds, max(1, int((key.expires_at - now).total_seconds())))
    return _exchanged(keys, owner, _key_principal(key, owner, lifetime_seconds), lifetime_seconds)


async def exchange_cookie(session: AsyncSession, keys: SigningKeys, cookie: str, *, lifetime_seconds: int) -> Exchanged:
    """`session` commits each statement by itself. Raises InvalidBrowserSession."""
    now = datetime.now(UTC)
    found = await sessions.session_of_cookie(session, digest(cookie), now)
    user = await user_by_id(session, found.user_id) if found else None
    if found is None or user is None or not user.is_active:
        raise InvalidBrowserSession()
    if now - found.last_used_at > NOTED_EVERY:
        await sessions.note_uses(session, {found.id: now})
    principal = principal_of(user, found.sid, lifetime_seconds=lifetime_seconds)
    return _exchanged(keys, user, principal, lifetime_seconds)


def _key_principal(key: ApiKey, owner: User, lifetime_seconds: int) -> Principal:
    """Never more than the owner may at this moment."""
    return Principal(
        user_id=owner.id,
        username=owner.username,
        role=min(key.role, owner.role, key=RANKS.__getitem__),
        session_id=key.sid,
        warehouse_ids=common_warehouses(key.warehouse_ids, owner.warehouse_ids),
        expires_at=int(datetime.now(UTC).timestamp()) + lifetime_seconds,
    )


def _exchanged(keys: SigningKeys, user: User, principal: Principal, lifetime_seconds: int) -> Exchanged:
    return Exchanged(keys.sign(principal), lifetime_seconds, user)
