"""Creates, refreshes and ends the grants of apps, and withdraws consents."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps import queries
from stockbuddy.auth.apps.model import App, AppConsent, AppGrant, AppRefreshToken
from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.roles.queries import find_rights, load_rights
from stockbuddy.auth.roles.rights import Rights
from stockbuddy.auth.sessions.commands import revoke_tokens
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user, lock_user
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.contracts.auth import AppGrantCreated, AppGrantEnded, ConsentGranted, ConsentWithdrawn

REFRESH_TOKEN_PREFIX = "sbr_"
"""Identifies the secret to readers and to scanners for leaked secrets."""


@dataclass(frozen=True, slots=True)
class IssuedGrant:
    """A grant with what its next access token allows. `refresh_token` is returned once and stored as a digest."""

    grant: AppGrant
    app: App
    user: User
    rights: Rights
    refresh_token: str


async def grant_consent(session: AsyncSession, app: App, user: User, scopes: list[str]) -> None:
    """Remember what the user allows the app; published only if it is new."""
    known = await queries.find_consent(session, app.id, user.id)
    if known is not None and set(scopes) <= set(known.scopes):
        return
    await queries.add_scopes(session, app.id, user.id, scopes, clock.now())
    event = ConsentGranted(app_id=app.id, app_name=app.name, user_id=user.id, username=user.username, scopes=scopes)
    outbox.add(session, event)


async def create_grant(
    session: AsyncSession, app: App, user_id: int, scopes: list[str], settings: AuthSettings
) -> IssuedGrant | None:
    """A grant with its first refresh token, within a consent. `app` is held (`find_app`). None if the user is
    deactivated or has withdrawn the consent. The user and a role of an admin's making are locked, so that a change of
    rights either precedes the grant or finds it."""
    user = await lock_user(session, user_id)
    consent = await queries.hold_consent(session, app.id, user_id)
    if user is None or not user.is_active or consent is None or not set(scopes) <= set(consent.scopes):
        return None
    set_actor(user.id, user.username)
    rights = await find_rights(session, user.role, user.warehouse_ids, for_assignment=True)
    now = clock.now()
    grant = AppGrant(
        app_id=app.id,
        user_id=user.id,
        scopes=scopes,
        token_generation=0,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=settings.session_days),
    )
    session.add(grant)
    await session.flush()
    outbox.add(session, AppGrantCreated(grant_id=grant.id, app_id=app.id, user_id=user.id, scopes=scopes))
    allowed = _rights_of(rights or Rights(user.role, frozenset()), app, grant)
    return IssuedGrant(grant, app, user, allowed, _add_refresh_token(session, grant, now))


async def refresh_grant(
    session: AsyncSession, app: App, refresh_token: str, settings: AuthSettings, scopes: Collection[str] | None
) -> IssuedGrant | None:
    """Rotate the refresh token; None if it is invalid or belongs to another app. Reuse of a rotated token ends the
    grant (token theft), so the caller must commit even when None is returned. `scopes`, a part of the grant's, narrow
    the access token only (RFC 6749 §6). Raises ScopeExceeded before the token is used."""
    token_digest = digest(refresh_token)
    grant_id = await queries.find_grant_id(session, token_digest)
    grant = await queries.lock_grant(session, grant_id) if grant_id is not None else None
    now = clock.now()
    if grant is None or grant.app_id != app.id or not grant.is_active(now):
        return None
    user = await find_user(session, grant.user_id)
    if user is None or not user.is_active:
        return None
    set_actor(user.id, user.username)
    if await queries.is_unused_refresh_token(session, token_digest) and not set(scopes or ()) <= set(grant.scopes):
        raise ScopeExceeded()
    if not await queries.use_refresh_token(session, token_digest, now):
        end_grant(session, grant, settings, reason="refresh_token_reused")
        return None
    grant.last_used_at = now
    grant.expires_at = now + timedelta(days=settings.session_days)
    rights = _rights_of(await load_rights(session, user.role, user.warehouse_ids), app, grant).within(scopes)
    return IssuedGrant(grant, app, user, rights, _add_refresh_token(session, grant, now))


class ScopeExceeded(Exception):
    """The client asks for a scope that its grant does not have."""


def _rights_of(of_user: Rights, app: App, grant: AppGrant) -> Rights:
    """What the user may do, the app may ask for, and the user has consented to."""
    return of_user.within(set(grant.scopes) & set(app.scopes))


def _add_refresh_token(session: AsyncSession, grant: AppGrant, now: datetime) -> str:
    refresh_token = REFRESH_TOKEN_PREFIX + create_secret()
    session.add(AppRefreshToken(digest=digest(refresh_token), grant_id=grant.id, created_at=now))
    return refresh_token


def end_grant(session: AsyncSession, grant: AppGrant, settings: AuthSettings, *, reason: str) -> None:
    """`grant` is locked and has not ended. Its access tokens are refused from the commit on."""
    grant.ended_at = clock.now()
    grant.ended_reason = reason
    revoke_tokens(session, grant.sid, settings)
    event = AppGrantEnded(grant_id=grant.id, app_id=grant.app_id, user_id=grant.user_id, reason=reason)
    outbox.add(session, event)


def rotate_grant(session: AsyncSession, grant: AppGrant, settings: AuthSettings) -> None:
    """Revoke the access tokens, whose claims are outdated, but not the grant. `grant` is locked and has not ended."""
    revoke_tokens(session, grant.sid, settings)
    grant.token_generation += 1


async def rotate_grants(
    session: AsyncSession, settings: AuthSettings, *, app_id: int | None = None, user_id: int | None = None
) -> None:
    """After a change of what the app or the user may do."""
    for grant in await queries.lock_active_grants(session, app_id=app_id, user_id=user_id):
        rotate_grant(session, grant, settings)


async def withdraw_consent(session: AsyncSession, app: App, user: User, settings: AuthSettings) -> bool:
    """End what the app has received from the user. False if there is no consent."""
    consent = await queries.delete_consent(session, app.id, user.id)
    if consent is None:
        return False
    for grant in await queries.lock_active_grants(session, app_id=app.id, user_id=user.id):
        end_grant(session, grant, settings, reason="consent_withdrawn")
    _publish_withdrawal(session, consent, app, user, reason="withdrawn")
    return True


async def withdraw_consents_of(session: AsyncSession, user: User, settings: AuthSettings, *, reason: str) -> None:
    """All of a user who is deactivated, or whose account someone else may have used. `user` is locked."""
    for consent in await queries.delete_consents_of(session, user.id):
        if (app := await queries.find_app(session, consent.app_id)) is not None:
            _publish_withdrawal(session, consent, app, user, reason=reason)
    for grant in await queries.lock_active_grants(session, user_id=user.id):
        end_grant(session, grant, settings, reason=reason)


def _publish_withdrawal(session: AsyncSession, consent: AppConsent, app: App, user: User, *, reason: str) -> None:
    event = ConsentWithdrawn(
        app_id=app.id,
        app_name=app.name,
        user_id=user.id,
        username=user.username,
        scopes=consent.scopes,
        reason=reason,
    )
    outbox.add(session, event)
