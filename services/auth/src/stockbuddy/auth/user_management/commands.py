"""Changes roles and activation, and revokes sessions, API keys and tokens of apps that exceed the new rights."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.commands import restrict_keys_to_owner, revoke_keys_of
from stockbuddy.auth.apps.grant_commands import rotate_grants, withdraw_consents_of
from stockbuddy.auth.changes import set_fields
from stockbuddy.auth.errors import ErasedUser, LastAdmin, UserNotFound
from stockbuddy.auth.factors.commands import reset_factors
from stockbuddy.auth.logins.queries import delete_challenges_of
from stockbuddy.auth.sessions.commands import revoke_sessions, rotate_session_id
from stockbuddy.auth.sessions.queries import lock_active_sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.user_management.queries import lock_active_admins
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import lock_user
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.auth import UserDeactivated, UserReactivated, UserRoleChanged, UserUpdated

RIGHTS = {"role", "warehouse_ids"}


async def lock_for_update(session: AsyncSession, user_id: int) -> tuple[User, set[int]]:
    """The user and the ids of the active admins, all locked; always in this order, which prevents deadlocks.
    Raises UserNotFound."""
    admins = set(await lock_active_admins(session))
    user = await lock_user(session, user_id)
    if user is None:
        raise UserNotFound()
    return user, admins


async def update_user(
    session: AsyncSession, user: User, admins: set[int], fields: Mapping[str, Any], settings: AuthSettings
) -> None:
    """`user` and `admins` come from `lock_for_update`. Publishes one event per kind of change. Raises LastAdmin
    or ErasedUser."""
    if user.erased_at is not None:
        raise ErasedUser()
    changed = {name: value for name, value in fields.items() if getattr(user, name) != value}
    stays_admin = changed.get("role", user.role) == Role.ADMIN and changed.get("is_active", user.is_active)
    if admins == {user.id} and not stays_admin:
        raise LastAdmin()
    if rights := {name: value for name, value in changed.items() if name in RIGHTS}:
        _apply(session, user, rights, UserRoleChanged)
        for active in await lock_active_sessions(session, user.id):
            rotate_session_id(session, active, settings)
        await restrict_keys_to_owner(session, user, settings)
        await rotate_grants(session, settings, user_id=user.id)
    if "full_name" in changed:
        _apply(session, user, {"full_name": changed["full_name"]}, UserUpdated)
    if "is_active" in changed:
        await _set_active(session, user, changed["is_active"], settings)


async def reset_user_factors(session: AsyncSession, user: User, settings: AuthSettings) -> None:
    """`user` is locked."""
    await reset_factors(session, user)
    await delete_challenges_of(session, user.id)
    await revoke_sessions(session, user.id, settings, reason="factors_reset")


async def _set_active(session: AsyncSession, user: User, is_active: bool, settings: AuthSettings) -> None:
    _apply(session, user, {"is_active": is_active}, UserReactivated if is_active else UserDeactivated)
    if not is_active:
        await revoke_sessions(session, user.id, settings, reason="user_deactivated")
        await revoke_keys_of(session, user, settings, reason="user_deactivated")
        await withdraw_consents_of(session, user, settings, reason="user_deactivated")


def _apply(
    session: AsyncSession,
    user: User,
    fields: Mapping[str, Any],
    event: type[UserRoleChanged] | type[UserUpdated] | type[UserReactivated] | type[UserDeactivated],
) -> None:
    changes = set_fields(user, fields)
    user.touch()
    outbox.add(session, user.to_event(event, changes=changes))
