"""Replica of auth's users and roles: what the owners of report schedules may do now.

A user or role whose events are older than the archive is added with the claims of the user's own token, as version 0,
which any event replaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission, sorted_names
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging.handlers import Handler, batch
from stockbuddy.contracts.auth import RoleState, UserState
from stockbuddy.contracts.event import EVENTS

FROM_CLAIMS = 0
"""The version of a row that no event has replaced yet."""

_UPSERT_USER = text("""
    INSERT INTO user_replica AS u (id, version, username, role, warehouse_ids, is_active)
    VALUES (:id, :version, :username, :role, :warehouse_ids, :is_active)
    ON CONFLICT (id) DO UPDATE
        SET version = excluded.version, username = excluded.username, role = excluded.role,
            warehouse_ids = excluded.warehouse_ids, is_active = excluded.is_active
        WHERE u.version < excluded.version OR u.version = 0 AND excluded.version = 0
""")
_UPSERT_ROLE = text("""
    INSERT INTO role_replica AS r (name, version, permissions, warehouse_ids)
    VALUES (:name, :version, :permissions, :warehouse_ids)
    ON CONFLICT (name) DO UPDATE
        SET version = excluded.version, permissions = excluded.permissions, warehouse_ids = excluded.warehouse_ids
        WHERE r.version < excluded.version OR r.version = 0 AND excluded.version = 0
""")
_RIGHTS = text("""
    SELECT u.username, u.role, u.is_active, u.warehouse_ids, r.permissions, r.warehouse_ids AS warehouse_ids_of_role
    FROM user_replica u LEFT JOIN role_replica r ON r.name = u.role WHERE u.id = :user_id
""")


@dataclass(frozen=True, slots=True)
class UserRights:
    """`warehouse_ids` None: all warehouses."""

    username: str
    role: str
    is_active: bool
    permissions: frozenset[Permission]
    warehouse_ids: frozenset[int] | None


async def replicate_users(session: AsyncSession, states: Sequence[UserState]) -> None:
    """The state with the highest version wins."""
    # All transactions lock users in the order of their ids, so that two batches cannot deadlock.
    for state in sorted(states, key=lambda state: (state.user_id, state.version)):
        values = {
            "id": state.user_id,
            "version": state.version,
            "username": state.username,
            "role": state.role,
            "warehouse_ids": state.warehouse_ids,
            "is_active": state.is_active,
        }
        await session.execute(_UPSERT_USER, values)


async def replicate_roles(session: AsyncSession, states: Sequence[RoleState]) -> None:
    for state in sorted(states, key=lambda state: (state.name, state.version)):
        await _upsert_role(session, state.name, state.version, state.permissions, state.warehouse_ids)


async def add_user_from_claims(session: AsyncSession, caller: Principal) -> None:
    """For a user's session, whose claims are those of the user and the role."""
    warehouse_ids = None if caller.warehouse_ids is None else sorted(caller.warehouse_ids)
    values = {
        "id": caller.user_id,
        "version": FROM_CLAIMS,
        "username": caller.username,
        "role": caller.role,
        "warehouse_ids": warehouse_ids,
        "is_active": True,
    }
    await session.execute(_UPSERT_USER, values)
    if caller.role not in PERMISSIONS_BY_ROLE:
        await _upsert_role(session, caller.role, FROM_CLAIMS, sorted_names(caller.permissions), None)


async def find_rights(session: AsyncSession, user_id: int) -> UserRights | None:
    """None for a user who is not replicated."""
    row = (await session.execute(_RIGHTS, {"user_id": user_id})).one_or_none()
    if row is None:
        return None
    permissions = PERMISSIONS_BY_ROLE.get(row.role)
    if permissions is None:
        permissions = frozenset(permission for permission in Permission if permission in (row.permissions or ()))
    restrictions = [frozenset(ids) for ids in (row.warehouse_ids, row.warehouse_ids_of_role) if ids is not None]
    return UserRights(
        username=row.username,
        role=row.role,
        is_active=row.is_active,
        permissions=permissions,
        warehouse_ids=frozenset.intersection(*restrictions) if restrictions else None,
    )


def user_handlers() -> dict[str, Handler]:
    """For every event type that carries the state of a user or a role."""
    return {
        **{name: batch(event, replicate_users) for name, event in EVENTS.items() if issubclass(event, UserState)},
        **{name: batch(event, replicate_roles) for name, event in EVENTS.items() if issubclass(event, RoleState)},
    }


async def _upsert_role(
    session: AsyncSession, name: str, version: int, permissions: Sequence[str], warehouse_ids: Any
) -> None:
    values = {"name": name, "version": version, "permissions": list(permissions), "warehouse_ids": warehouse_ids}
    await session.execute(_UPSERT_ROLE, values)
