"""Limits webhooks to what their owners may see, whenever the permissions of an owner change."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import decode
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import RoleState, UserState
from stockbuddy.notifications.replicas.handlers import upsert_users
from stockbuddy.notifications.replicas.roles import get_permissions, upsert_role
from stockbuddy.notifications.replicas.users import get_role, list_users_with_role
from stockbuddy.notifications.webhooks import queries
from stockbuddy.notifications.webhooks.delivery_queue import cancel_invisible


async def apply_users(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Replicate users, and limit their webhooks."""
    await upsert_users(session, messages)
    for user_id in {decode(UserState, message).user_id for message in messages}:
        await _limit_webhooks(session, user_id)


async def apply_roles(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Replicate roles, and limit the webhooks of their users."""
    for message in messages:
        role = decode(RoleState, message)
        await upsert_role(session, role.name, role.version, role.permissions)
        for user_id in await list_users_with_role(session, role.name):
            await _limit_webhooks(session, user_id)


async def _limit_webhooks(session: AsyncSession, owner_id: int) -> None:
    if found := await queries.lock_webhooks_of(session, owner_id):
        permissions = await get_permissions(session, await get_role(session, owner_id))
        for webhook in found:
            webhook.limit_to(permissions)
        await session.flush()
        for webhook in found:
            await cancel_invisible(session, webhook.id)
