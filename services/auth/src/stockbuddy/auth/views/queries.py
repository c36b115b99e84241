"""Queries of saved views."""

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.users.model import User
from stockbuddy.auth.views.model import SavedView
from stockbuddy.auth.views.schemas import ViewFilter


def select_views(user_id: int, filters: ViewFilter) -> Select[SavedView, str]:
    """The user's own views and the shared ones, each with its owner's username."""
    statement = (
        select(SavedView, User.username)
        .join(User, User.id == SavedView.owner_id)
        .where(or_(SavedView.owner_id == user_id, SavedView.is_shared))
    )
    return statement if filters.path is None else statement.where(SavedView.path == filters.path)


async def find_view(session: AsyncSession, view_id: int) -> SavedView | None:
    return await session.get(SavedView, view_id)


async def lock_view(session: AsyncSession, view_id: int) -> SavedView | None:
    return await session.get(SavedView, view_id, with_for_update=True)


async def count_views(session: AsyncSession, owner_id: int) -> int:
    statement = select(func.count()).where(SavedView.owner_id == owner_id)
    return (await session.execute(statement)).scalar_one()


async def get_username(session: AsyncSession, user_id: int) -> str:
    return (await session.execute(select(User.username).where(User.id == user_id))).scalar_one()
