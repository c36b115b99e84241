"""Queries of roles and their rights."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.roles.model import CustomRole
from stockbuddy.auth.roles.rights import Rights
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE


async def list_custom_roles(session: AsyncSession) -> Sequence[CustomRole]:
    return (await session.scalars(select(CustomRole).order_by(CustomRole.name))).all()


async def find_custom_role(session: AsyncSession, name: str) -> CustomRole | None:
    return await session.get(CustomRole, name)


async def lock_custom_role(session: AsyncSession, name: str) -> CustomRole | None:
    return await session.get(CustomRole, name, with_for_update=True, populate_existing=True)


async def find_rights(
    session: AsyncSession, role: str, warehouse_ids: Collection[int] | None = None, *, for_assignment: bool = False
) -> Rights | None:
    """The rights of a role, restricted to the warehouses (None: all of the role's). None if there is no such role.
    `for_assignment`: the role is not deleted before this transaction ends."""
    if (permissions := PERMISSIONS_BY_ROLE.get(role)) is not None:
        return Rights(role, permissions).within(None, warehouse_ids)
    statement = select(CustomRole).where(CustomRole.name == role)
    if for_assignment:
        statement = statement.with_for_update(read=True, key_share=True)
    custom = await session.scalar(statement)
    return custom.rights.within(None, warehouse_ids) if custom else None


async def load_rights(session: AsyncSession, role: str, warehouse_ids: Collection[int] | None) -> Rights:
    """The same; of a role that does not exist: none."""
    return await find_rights(session, role, warehouse_ids) or Rights(role, frozenset())
