"""Data replica of the roles that admins have defined. An older event changes nothing."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE

_UPSERT = text("""
    INSERT INTO role_replica AS replica (name, version, permissions) VALUES (:name, :version, :permissions)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, permissions = excluded.permissions
    WHERE replica.version < excluded.version
""")
_PERMISSIONS = text("SELECT permissions FROM role_replica WHERE name = :name")


async def upsert_role(session: AsyncSession, name: str, version: int, permissions: Sequence[str]) -> None:
    await session.execute(_UPSERT, {"name": name, "version": version, "permissions": list(permissions)})


async def get_permissions(session: AsyncSession, role: str) -> frozenset[str]:
    """Of a built-in role, or of another one; none until the role is replicated."""
    if (permissions := PERMISSIONS_BY_ROLE.get(role)) is not None:
        return frozenset(permissions)
    return frozenset(await session.scalar(_PERMISSIONS, {"name": role}) or ())
