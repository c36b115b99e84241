"""Queries of users."""

from collections.abc import Sequence

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.tokens import Role


async def find_user(session: AsyncSession, user_id: int) -> User | None:
    return await session.get(User, user_id)


async def find_user_by_login(session: AsyncSession, login: str) -> User | None:
    """By username or e-mail address; they never coincide, because usernames contain no @."""
    login = login.lower()
    return await session.scalar(
        select(User).where(or_(func.lower(User.username) == login, func.lower(User.email) == login))
    )


async def find_user_by_email(session: AsyncSession, email: str) -> User | None:
    return await session.scalar(select(User).where(func.lower(User.email) == email.lower()))


async def lock_user(session: AsyncSession, user_id: int) -> User | None:
    """The current user, locked until the transaction ends."""
    return await session.get(User, user_id, with_for_update=True, populate_existing=True)


async def is_username_taken(
    session: AsyncSession, username: str, skeleton: str, *, except_user: int | None = None
) -> bool:
    """True if another user has this name or one with the same skeleton."""
    is_similar = or_(func.lower(User.username) == username.lower(), User.username_skeleton == skeleton)
    return bool(await session.scalar(select(exists().where(is_similar, User.id.is_distinct_from(except_user)))))


async def list_users_without_skeleton(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(select(User).where(User.username_skeleton.is_(None)).order_by(User.id))).all()


async def is_email_taken(session: AsyncSession, email: str) -> bool:
    return bool(await session.scalar(select(exists().where(func.lower(User.email) == email.lower()))))


async def has_admin(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(User.role == Role.ADMIN))))
