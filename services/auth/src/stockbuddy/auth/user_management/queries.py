"""Lists and searches users, and locks the admins."""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.user_management.schemas import UserFilter
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.postgres.text_search import contains_text


def select_users(filters: UserFilter) -> Select[User]:
    """Users whose username, address or full name contains every word of `search`."""
    statement = select(User)
    for word in (filters.search or "").split():
        statement = statement.where(contains_text(word, User.username, User.email, User.full_name))
    if filters.role is not None:
        statement = statement.where(User.role == filters.role)
    if filters.is_active is not None:
        statement = statement.where(User.is_active == filters.is_active)
    return statement


async def lock_active_admins(session: AsyncSession) -> Sequence[int]:
    """Their ids. The row locks serialise concurrent demotions, so that one admin always remains."""
    statement = select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id).with_for_update()
    return (await session.scalars(statement)).all()
