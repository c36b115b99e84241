"""Creates, changes and deletes roles, and withdraws the access tokens whose rights have changed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.grant_commands import rotate_grants
from stockbuddy.auth.changes import set_fields
from stockbuddy.auth.role_management import queries
from stockbuddy.auth.role_management.schemas import RoleCreate
from stockbuddy.auth.roles.errors import BuiltInRole, RoleExists, RoleInUse, RoleNotFound
from stockbuddy.auth.roles.grants import require_within
from stockbuddy.auth.roles.model import CustomRole
from stockbuddy.auth.roles.queries import lock_custom_role
from stockbuddy.auth.sessions.commands import revoke_tokens, rotate_session_id
from stockbuddy.auth.sessions.queries import lock_active_sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import RoleCreated, RoleDeleted, RoleUpdated

RIGHTS = {"permissions", "warehouse_ids", "max_discount_percent"}


async def create_role(session: AsyncSession, caller: Principal, body: RoleCreate) -> CustomRole:
    """Raises RoleExists or RightsExceeded."""
    if body.name in PERMISSIONS_BY_ROLE:
        raise RoleExists()
    now = clock.now()
    role = CustomRole(**dict(body), version=1, created_at=now, updated_at=now)
    require_within(role.rights, caller)
    session.add(role)
    try:
        await session.flush()
    except IntegrityError as error:
        raise RoleExists() from error
    outbox.add(session, role.to_event(RoleCreated))
    return role


async def load_for_update(session: AsyncSession, name: str) -> CustomRole:
    """The role, locked. Raises BuiltInRole or RoleNotFound."""
    if name in PERMISSIONS_BY_ROLE:
        raise BuiltInRole()
    role = await lock_custom_role(session, name)
    if role is None:
        raise RoleNotFound()
    return role


async def update_role(
    session: AsyncSession, caller: Principal, role: CustomRole, fields: Mapping[str, Any], settings: AuthSettings
) -> None:
    """`role` is locked. Raises RightsExceeded, both for the former and for the new rights."""
    former = role.rights
    changes = set_fields(role, fields)
    if not changes:
        return
    for rights in (former, role.rights):
        require_within(rights, caller)
    role.touch()
    outbox.add(session, role.to_event(RoleUpdated, changes=changes))
    if RIGHTS & changes.keys():
        await _withdraw_tokens(session, role.name, settings)


async def delete_role(session: AsyncSession, caller: Principal, role: CustomRole) -> None:
    """`role` is locked. Raises RoleInUse or RightsExceeded."""
    require_within(role.rights, caller)
    if await queries.is_in_use(session, role.name):
        raise RoleInUse()
    await session.delete(role)
    outbox.add(session, role.to_event(RoleDeleted))


async def _withdraw_tokens(session: AsyncSession, name: str, settings: AuthSettings) -> None:
    """The next token of each session, API key and app has the new rights."""
    for user_id in await queries.list_user_ids(session, name):
        for active in await lock_active_sessions(session, user_id):
            rotate_session_id(session, active, settings)
        await rotate_grants(session, settings, user_id=user_id)
    for key in await queries.lock_keys_with_role(session, name):
        revoke_tokens(session, key.sid, settings)
        key.token_generation += 1
