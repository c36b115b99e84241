"""Data replica of auth's users: recipients of notifications. An older event changes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_UPSERT = text("""
    INSERT INTO user_replica AS replica (id, version, username, email, email_confirmed, full_name, role, is_active)
    VALUES (:id, :version, :username, :email, :email_confirmed, :full_name, :role, :is_active)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, username = excluded.username, email = excluded.email,
        email_confirmed = excluded.email_confirmed, full_name = excluded.full_name, role = excluded.role,
        is_active = excluded.is_active
    WHERE replica.version < excluded.version
""")
_ROLE = text("SELECT role FROM user_replica WHERE id = :id")
_WITH_ROLE = text("SELECT id FROM user_replica WHERE role = :role")
_ACTIVE = text("SELECT id, role FROM user_replica WHERE id = ANY(:ids) AND is_active ORDER BY id")
_EXISTS = text("SELECT EXISTS (SELECT FROM user_replica WHERE id = :id)")


@dataclass(frozen=True)
class UserReplica:
    id: int
    version: int
    username: str
    email: str
    email_confirmed: bool
    full_name: str | None
    role: str
    is_active: bool


async def upsert_user(session: AsyncSession, user: UserReplica) -> None:
    await session.execute(_UPSERT, asdict(user))


async def user_exists(session: AsyncSession, user_id: int) -> bool:
    return bool(await session.scalar(_EXISTS, {"id": user_id}))


async def get_role(session: AsyncSession, user_id: int) -> str:
    """The role of a user who is replicated."""
    role: str = (await session.execute(_ROLE, {"id": user_id})).scalar_one()
    return role


async def list_active_users(session: AsyncSession, user_ids: Sequence[int]) -> dict[int, str]:
    """The roles of those users who are active, by id."""
    rows = await session.execute(_ACTIVE, {"ids": list(user_ids)})
    return {row.id: row.role for row in rows}


async def list_users_with_role(session: AsyncSession, role: str) -> Sequence[int]:
    return (await session.scalars(_WITH_ROLE, {"role": role})).all()
