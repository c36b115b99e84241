"""Queries of what refers to a role."""

from collections.abc import Sequence

from sqlalchemy import any_, exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.invitations.model import Invitation
from stockbuddy.auth.system_settings.model import SystemSettings
from stockbuddy.auth.users.model import User


async def is_in_use(session: AsyncSession, name: str) -> bool:
    """Whether users, valid API keys, open invitations or the settings refer to the role."""
    references = (
        exists().where(User.role == name),
        exists().where(ApiKey.role == name, ApiKey.revoked_at.is_(None)),
        exists().where(Invitation.role == name, Invitation.used_at.is_(None)),
        exists().where(
            or_(SystemSettings.registration_role == name, literal(name) == any_(SystemSettings.second_factor_roles))
        ),
    )
    return bool(await session.scalar(select(or_(*references))))


async def list_user_ids(session: AsyncSession, name: str) -> Sequence[int]:
    """Users with the role, in the order in which they are locked."""
    return (await session.scalars(select(User.id).where(User.role == name).order_by(User.id))).all()


async def lock_keys_with_role(session: AsyncSession, name: str) -> Sequence[ApiKey]:
    """Keys with the role, or of a user with it, that are not revoked."""
    statement = (
        select(ApiKey)
        .join(User, User.id == ApiKey.owner_id)
        .where(ApiKey.revoked_at.is_(None), (ApiKey.role == name) | (User.role == name))
    )
    return (await session.scalars(statement.order_by(ApiKey.id).with_for_update(of=ApiKey))).all()
