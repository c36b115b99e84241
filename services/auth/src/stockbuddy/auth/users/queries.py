"""Queries of users."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from stockbuddy.auth.users.model import User
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.text_keys import case_key


async def find_user(session: AsyncSession, user_id: int) -> User | None:
    return await session.get(User, user_id)


async def find_user_by_login(session: AsyncSession, login: str) -> User | None:
    """By username or e-mail address; they never coincide, because usernames contain no @."""
    return await _find_by_key(session, login, User.username, User.email)


async def find_user_by_email(session: AsyncSession, email: str) -> User | None:
    return await _find_by_key(session, email, User.email)


async def _find_by_key(session: AsyncSession, given: str, *columns: InstrumentedAttribute[str]) -> User | None:
    # Users of earlier releases may have equal keys: the one with exactly this name comes first.
    is_exact = or_(*(column == given for column in columns))
    matching = select(User).where(or_(*(_has_key(column, given) for column in columns)))
    return await session.scalar(matching.order_by(is_exact.desc(), User.id).limit(1))


def _has_key(column: InstrumentedAttribute[str], given: str) -> ColumnElement[bool]:
    return func.case_key(column) == case_key(given)


async def lock_user(session: AsyncSession, user_id: int) -> User | None:
    """The current user, locked until the transaction ends."""
    return await session.get(User, user_id, with_for_update=True, populate_existing=True)


async def is_username_taken(
    session: AsyncSession, username: str, skeleton: str, *, except_user: int | None = None
) -> bool:
    """True if another user has this name or one with the same skeleton."""
    is_similar = or_(_has_key(User.username, username), User.username_skeleton == skeleton)
    return bool(await session.scalar(select(exists().where(is_similar, User.id.is_distinct_from(except_user)))))


async def list_users_without_skeleton(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(select(User).where(User.username_skeleton.is_(None)).order_by(User.id))).all()


async def is_email_taken(session: AsyncSession, email: str) -> bool:
    return bool(await session.scalar(select(exists().where(_has_key(User.email, email)))))


async def has_admin(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(User.role == Role.ADMIN))))
