"""Lists and searches users, and locks the admins."""

from collections.abc import Sequence

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.tokens import Role


def users_matching(search: str | None, role: Role | None, is_active: bool | None) -> Select[User]:
    """Every word of `search` occurs in the username, the address or the full name."""
    wanted = select(User)
    for word in (search or "").split():
        texts = (User.username, User.email, User.full_name)
        wanted = wanted.where(or_(*(text.icontains(word, autoescape=True) for text in texts)))
    if role is not None:
        wanted = wanted.where(User.role == role)
    if is_active is not None:
        wanted = wanted.where(User.is_active == is_active)
    return wanted


async def lock_active_admins(session: AsyncSession) -> Sequence[int]:
    """Their ids. Of two who would each take away the last but one, the second sees what the first has done."""
    wanted = select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id).with_for_update()
    return (await session.scalars(wanted)).all()
