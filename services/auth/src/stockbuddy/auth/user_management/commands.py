"""Changes what users may do, and lets nothing go on that they may do no longer."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.user_management.queries import lock_active_admins
from stockbuddy.auth.api_keys.commands import fit_keys_to_owner, revoke_keys_of
from stockbuddy.auth.errors import LastAdmin
from stockbuddy.auth.sessions.commands import end_sessions, renew_sid
from stockbuddy.auth.sessions.queries import lock_live_sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import lock_user
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.contracts.auth import UserDeactivated, UserReactivated, UserRoleChanged, UserUpdated

RIGHTS = {"role", "warehouse_ids"}


async def lock_for_change(session: AsyncSession, user_id: int) -> tuple[User, set[int]]:
    """The user and the ids of the active admins, all locked, always in that order. Raises NotFound."""
    admins = set(await lock_active_admins(session))
    user = await lock_user(session, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    return user, admins


async def change_user(
    session: AsyncSession, user: User, admins: set[int], changes: Mapping[str, Any], settings: AuthSettings
) -> None:
    """`user` and `admins` come from `lock_for_change`. One event for each kind of change. Raises LastAdmin."""
    changed = {name: value for name, value in changes.items() if getattr(user, name) != value}
    stays_admin = changed.get("role", user.role) is Role.ADMIN and changed.get("is_active", user.is_active)
    if admins == {user.id} and not stays_admin:
        raise LastAdmin()
    if rights := {name: value for name, value in changed.items() if name in RIGHTS}:
        _apply(session, user, rights, UserRoleChanged)
        for live in await lock_live_sessions(session, user.id):
            renew_sid(session, live, settings)
        await fit_keys_to_owner(session, user, settings)
    if "full_name" in changed:
        _apply(session, user, {"full_name": changed["full_name"]}, UserUpdated)
    if "is_active" in changed:
        await _activate(session, user, changed["is_active"], settings)


async def _activate(session: AsyncSession, user: User, is_active: bool, settings: AuthSettings) -> None:
    _apply(session, user, {"is_active": is_active}, UserReactivated if is_active else UserDeactivated)
    if not is_active:
        live = await lock_live_sessions(session, user.id)
        end_sessions(session, live, settings, reason="user_deactivated")
        await revoke_keys_of(session, user, settings, reason="user_deactivated")


def _apply(
    session: AsyncSession,
    user: User,
    changed: Mapping[str, Any],
    event: type[UserRoleChanged] | type[UserUpdated] | type[UserReactivated] | type[UserDeactivated],
) -> None:
    told = {name: {"from": getattr(user, name), "to": value} for name, value in changed.items()}
    for name, value in changed.items():
        setattr(user, name, value)
    user.touch()
    outbox.add(session, user.said_as(event, changes=told))
