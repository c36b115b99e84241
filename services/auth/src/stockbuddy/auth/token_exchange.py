"""Token exchange: an access token for an API key, for the cookie of a browser session, or for a stream ticket."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys import queries as api_keys
from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.crypto import digest
from stockbuddy.auth.errors import InvalidApiKey, InvalidBrowserSession, InvalidStreamTicket
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.sessions import queries as sessions
from stockbuddy.auth.sessions.commands import find_browser_session, session_expiry
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing.keys import SigningKeys
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock

LAST_USED_INTERVAL = timedelta(seconds=30)
"""Minimum interval between `last_used_at` updates, to avoid a hot row; the gateway reports later uses."""

EXTENSION_INTERVAL = timedelta(days=1)
"""A browser session is extended at most this often, because each extension sets the browser's cookies again."""


@dataclass(frozen=True, slots=True)
class ExchangedToken:
    """An access token for `user`; `expires_in` is in seconds. `cookie_max_age` (seconds): the session was extended, so
    the browser's cookies must be set again."""

    access_token: str
    expires_in: int
    user: User
    cookie_max_age: int | None = None


async def exchange_api_key(
    session: AsyncSession, keys: SigningKeys, secret: str, *, lifetime_seconds: int, key_id: int | None = None
) -> ExchangedToken:
    """`session` commits each statement. `key_id`, which OAuth clients send, must be the key's. Raises InvalidApiKey."""
    now = clock.now()
    found = await api_keys.find_valid_key(session, digest(secret), now)
    if found is None or key_id not in (None, found[0].id):
        raise InvalidApiKey()
    key, owner = found
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_INTERVAL:
        await api_keys.record_last_used(session, {key.id: now})
    if key.expires_at is not None:
        lifetime_seconds = min(lifetime_seconds, max(1, int((key.expires_at - now).total_seconds())))
    principal = await _key_principal(session, key, owner, lifetime_seconds, is_renewed=key_id is None)
    return ExchangedToken(keys.sign(principal), lifetime_seconds, owner)


async def exchange_cookie(
    session: AsyncSession, keys: SigningKeys, cookie: str, *, settings: AuthSettings
) -> ExchangedToken:
    """`session` commits each statement. Use extends the browser session, up to its maximum lifetime. Raises
    InvalidBrowserSession."""
    now = clock.now()
    valid = await find_browser_session(session, cookie, settings, now)
    if valid is None:
        raise InvalidBrowserSession()
    found, user = valid
    expires_at = session_expiry(found.created_at, now, settings)
    if now - found.last_used_at > LAST_USED_INTERVAL:
        await sessions.record_last_used(session, {found.id: now})
    cookie_max_age = None
    if expires_at - found.expires_at >= EXTENSION_INTERVAL:
        await sessions.extend_session(session, found.id, expires_at)
        cookie_max_age = int((expires_at - now).total_seconds())
    lifetime_seconds = settings.exchanged_token_ttl_seconds
    principal = await _session_principal(session, user, found.sid, lifetime_seconds)
    return ExchangedToken(keys.sign(replace(principal, is_renewed=True)), lifetime_seconds, user, cookie_max_age)


async def exchange_stream_ticket(
    session: AsyncSession, keys: SigningKeys, ticket: str, *, lifetime_seconds: int
) -> ExchangedToken:
    """Once. `session` commits each statement. Raises InvalidStreamTicket."""
    found = await sessions.use_stream_ticket(session, digest(ticket), clock.now())
    user = await find_user(session, found.user_id) if found else None
    if found is None or user is None or not user.is_active:
        raise InvalidStreamTicket()
    principal = await _session_principal(session, user, found.sid, lifetime_seconds)
    return ExchangedToken(keys.sign(principal), lifetime_seconds, user)


async def _session_principal(session: AsyncSession, user: User, sid: str, lifetime_seconds: int) -> Principal:
    rights = await load_rights(session, user.role, user.warehouse_ids)
    return rights.to_principal(user.id, user.username, sid, lifetime_seconds=lifetime_seconds)


async def _key_principal(
    session: AsyncSession, key: ApiKey, owner: User, lifetime_seconds: int, *, is_renewed: bool
) -> Principal:
    """The rights common to the key and its owner, whose rights may have changed since the key was created."""
    own = (await load_rights(session, key.role, key.warehouse_ids)).within(key.scopes)
    limit = await load_rights(session, owner.role, owner.warehouse_ids)
    rights = own.limited_to(limit) if own.permissions <= limit.permissions else limit.limited_to(own)
    principal = rights.to_principal(
        owner.id, owner.username, key.sid, lifetime_seconds=lifetime_seconds, is_renewed=is_renewed
    )
    return replace(principal, networks=None if key.networks is None else tuple(key.networks))
