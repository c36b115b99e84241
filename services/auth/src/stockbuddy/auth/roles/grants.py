"""Grants: a caller cannot give, change or take away rights that they do not have themselves."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.roles.errors import RightsExceeded, UnknownRole
from stockbuddy.auth.roles.queries import find_rights
from stockbuddy.auth.roles.rights import Rights, rights_of
from stockbuddy.chassis.http.tokens import Principal


async def load_assignable(
    session: AsyncSession, caller: Principal, role: str, warehouse_ids: list[int] | None = None
) -> Rights:
    """The rights that `caller` gives to someone. Raises UnknownRole or RightsExceeded."""
    rights = await require_role(session, role, warehouse_ids)
    require_within(rights, caller)
    return rights


async def require_role(session: AsyncSession, role: str, warehouse_ids: list[int] | None = None) -> Rights:
    """Its rights; it is not deleted before this transaction ends. Raises UnknownRole."""
    rights = await find_rights(session, role, warehouse_ids, for_assignment=True)
    if rights is None:
        raise UnknownRole()
    return rights


def require_within(rights: Rights, caller: Principal) -> None:
    """Raises RightsExceeded if they allow anything that the caller may not do."""
    if rights.exceed(rights_of(caller)):
        raise RightsExceeded()
