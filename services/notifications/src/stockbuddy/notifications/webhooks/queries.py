"""Reads of webhooks and their deliveries."""

from collections.abc import Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, SortOrder, fetch_page
from stockbuddy.notifications.errors import UnknownDelivery, UnknownWebhook
from stockbuddy.notifications.webhooks.model import Delivery, Webhook
from stockbuddy.notifications.webhooks.schemas import DeliveryFilter

# In one statement, so that replicas that start at the same time encrypt each secret once. The subquery sees the former
# values.
TAKE_PLAIN_SECRETS = """
    UPDATE webhook w SET secret = NULL, previous_secret = NULL, previous_secret_until = NULL
    FROM (SELECT id, secret, previous_secret, previous_secret_until FROM webhook WHERE secret IS NOT NULL FOR UPDATE) p
    WHERE w.id = p.id
    RETURNING p.id, p.secret, p.previous_secret, p.previous_secret_until
"""
_LOCK_CREATION = text("SELECT pg_advisory_xact_lock(hashtext('notifications.webhook'))")


async def list_webhooks(session: AsyncSession, query: PageQuery) -> PageSlice[Webhook]:
    """Newest first."""
    return await fetch_page(session, select(Webhook), SortOrder("id_desc", (Webhook.id,), descending=True), query)


async def count_for_creation(session: AsyncSession) -> int:
    """The number of webhooks; concurrent creations wait until the transaction ends, so the limit is exact."""
    await session.execute(_LOCK_CREATION)
    return await session.scalar(select(func.count()).select_from(Webhook)) or 0


async def load_webhook(session: AsyncSession, webhook_id: int) -> Webhook:
    """Raises UnknownWebhook."""
    webhook = await session.get(Webhook, webhook_id)
    if webhook is None:
        raise UnknownWebhook()
    return webhook


async def find_and_lock_webhook(session: AsyncSession, webhook_id: int) -> Webhook | None:
    return await session.get(Webhook, webhook_id, with_for_update=True)


async def list_deliveries(session: AsyncSession, webhook_id: int, filters: DeliveryFilter) -> PageSlice[Delivery]:
    """Newest first."""
    statement = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if filters.state is not None:
        statement = statement.where(Delivery.state == filters.state)
    return await fetch_page(session, statement, SortOrder("id_desc", (Delivery.id,), descending=True), filters)


async def load_delivery(session: AsyncSession, webhook_id: int, delivery_id: int) -> Delivery:
    """Raises UnknownDelivery."""
    delivery = await session.scalar(
        select(Delivery).where(Delivery.webhook_id == webhook_id, Delivery.id == delivery_id)
    )
    if delivery is None:
        raise UnknownDelivery()
    return delivery


async def lock_webhooks_of(session: AsyncSession, owner_id: int) -> Sequence[Webhook]:
    """The webhooks that this user has changed last."""
    statement = select(Webhook).where(Webhook.owner_id == owner_id).order_by(Webhook.id).with_for_update()
    return (await session.scalars(statement)).all()
