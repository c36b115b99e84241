"""Registers, changes and deletes apps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps import queries
from stockbuddy.auth.apps.errors import AppNotFound, PublicApp
from stockbuddy.auth.apps.grant_commands import end_grant, rotate_grants
from stockbuddy.auth.apps.model import App
from stockbuddy.auth.apps.schemas import AppCreate
from stockbuddy.auth.changes import set_fields
from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.roles.errors import RightsExceeded
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import AppCreated, AppDeleted, AppUpdated

SECRET_PREFIX = "sbs_"
"""Identifies the secret to readers and to scanners for leaked secrets."""

HINT_LENGTH = 4


async def create_app(session: AsyncSession, caller: Principal, body: AppCreate) -> tuple[App, str | None]:
    """The app, and the secret of a confidential one. Raises RightsExceeded."""
    now = clock.now()
    app = App(**dict(body), version=1, created_by=caller.user_id, created_at=now, updated_at=now)
    _require_within(app, caller)
    secret = _replace_secret(app, now) if app.is_confidential else None
    session.add(app)
    await session.flush()
    outbox.add(session, app.to_event(AppCreated))
    return app, secret


async def load_for_update(session: AsyncSession, caller: Principal, app_id: int) -> App:
    """The app, locked. Raises AppNotFound, or RightsExceeded: who can redirect an app's users gets what they consent
    to."""
    app = await queries.lock_app(session, app_id)
    if app is None:
        raise AppNotFound()
    _require_within(app, caller)
    return app


async def update_app(
    session: AsyncSession, caller: Principal, app: App, fields: Mapping[str, Any], settings: AuthSettings
) -> None:
    """`app` is locked. Raises RightsExceeded or Unprocessable."""
    changes = set_fields(app, fields)
    if not changes:
        return
    _require_within(app, caller)
    if not app.redirect_uris and not app.allows_device_flow:
        raise Unprocessable.field("redirect_uris", "give at least one, unless allows_device_flow is true")
    _touch(app, clock.now())
    outbox.add(session, app.to_event(AppUpdated, changes=changes))
    if "scopes" in changes:
        await rotate_grants(session, settings, app_id=app.id)


def rotate_secret(session: AsyncSession, app: App) -> str:
    """The new secret; the old one is refused from the commit on. `app` is locked. Raises PublicApp."""
    if not app.is_confidential:
        raise PublicApp()
    now = clock.now()
    changes = {"secret_created_at": {"from": _to_json(app.secret_created_at), "to": _to_json(now)}}
    secret = _replace_secret(app, now)
    _touch(app, now)
    outbox.add(session, app.to_event(AppUpdated, changes=changes))
    return secret


async def delete_app(session: AsyncSession, app: App, settings: AuthSettings) -> None:
    """With all consents and grants. `app` is locked."""
    for grant in await queries.lock_active_grants(session, app_id=app.id):
        end_grant(session, grant, settings, reason="app_deleted")
    await session.flush()
    outbox.add(session, app.to_event(AppDeleted))
    await queries.delete_app(session, app.id)


def _replace_secret(app: App, now: datetime) -> str:
    secret = SECRET_PREFIX + create_secret()
    app.secret_digest = digest(secret)
    app.secret_hint = secret[-HINT_LENGTH:]
    app.secret_created_at = now
    return secret


def _require_within(app: App, caller: Principal) -> None:
    """Raises RightsExceeded if users could give the app what the caller may not do."""
    if not set(app.scopes) <= caller.permissions:
        raise RightsExceeded()


def _touch(app: App, now: datetime) -> None:
    app.version += 1
    app.updated_at = now


def _to_json(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
