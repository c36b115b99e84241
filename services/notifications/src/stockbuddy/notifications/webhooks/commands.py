"""Registers webhooks, changes them, and asks for deliveries."""

import json
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.notifications import (
    WebhookCreated,
    WebhookDeleted,
    WebhookDisabled,
    WebhookSecretRotated,
    WebhookDeliveryRequested,
    WebhookUpdated,
)
from stockbuddy.notifications.errors import DeliveryUnderWay, TooManyWebhooks, UnknownDelivery, WebhookSwitchedOff
from stockbuddy.notifications.event_log.queries import head_position
from stockbuddy.notifications.news import announce_after_commit
from stockbuddy.notifications.webhooks import queries
from stockbuddy.notifications.webhooks.model import Webhook, new_secret
from stockbuddy.notifications.webhooks.queries import Delivery

MOST_WEBHOOKS = 100
TEST_TYPE = "notifications.webhook.test"


async def create_webhook(
    session: AsyncSession, *, url: str, event_types: list[str], description: str | None, is_active: bool
) -> Webhook:
    """It gets what happens from now on. Raises TooManyWebhooks."""
    if await queries.count_before_creation(session) >= MOST_WEBHOOKS:
        raise TooManyWebhooks()
    webhook = Webhook(
        url=url,
        description=description,
        version=1,
        is_active=is_active,
        secret=new_secret(),
        since_position=await head_position(session),
    )
    webhook.listen_to(event_types)
    session.add(webhook)
    await session.flush()
    outbox.add(session, webhook.said_as(WebhookCreated))
    return webhook


async def change_webhook(session: AsyncSession, webhook: Webhook, wanted: dict[str, Any]) -> None:
    """`wanted` holds the fields to change, by name. What is so already is no change."""
    wanted = {name: value for name, value in wanted.items() if getattr(webhook, name) != value}
    if not wanted:
        return
    if "url" in wanted:
        webhook.url = wanted["url"]
    if "description" in wanted:
        webhook.description = wanted["description"]
    if "event_types" in wanted:
        webhook.listen_to(wanted["event_types"])
    if wanted.get("is_active") is True:
        webhook.switch_on(await head_position(session))
        announce_after_commit(session)
    elif "is_active" in wanted:
        webhook.is_active = False
    webhook.touch()
    outbox.add(session, webhook.said_as(WebhookUpdated))


def disable_webhook(session: AsyncSession, webhook: Webhook, reason: str) -> None:
    """Give it up, and say so."""
    webhook.disable(reason)
    webhook.touch()
    outbox.add(session, webhook.said_as(WebhookDisabled, reason=reason))


async def delete_webhook(session: AsyncSession, webhook: Webhook) -> None:
    webhook.touch()
    outbox.add(session, webhook.said_as(WebhookDeleted, deleted=True))
    await session.delete(webhook)


def rotate_secret(session: AsyncSession, webhook: Webhook, overlap_seconds: float) -> str:
    secret = webhook.rotate_secret(overlap_seconds)
    webhook.touch()
    outbox.add(session, webhook.said_as(WebhookSecretRotated))
    return secret


async def send_test(session: AsyncSession, webhook: Webhook) -> Delivery:
    """A made-up event, sent even while the webhook is off: that is when one wants to try it."""
    sample = json.dumps({"webhook_id": webhook.id, "message": "This is a test."})
    delivery = await queries.add_sample(session, webhook.id, str(uuid4()), TEST_TYPE, sample)
    _ask_for(session, delivery)
    return delivery


async def redeliver(session: AsyncSession, webhook: Webhook, delivery_id: int) -> Delivery:
    """Send once more, with all the tries of a new delivery.
    Raises UnknownDelivery, DeliveryUnderWay, WebhookSwitchedOff."""
    delivery = await queries.deliver_again(session, webhook.id, delivery_id)
    if delivery is None:
        known = await queries.find_delivery(session, webhook.id, delivery_id)
        raise DeliveryUnderWay() if known else UnknownDelivery()
    if not webhook.is_active:
        raise WebhookSwitchedOff()
    _ask_for(session, delivery)
    return delivery


def _ask_for(session: AsyncSession, delivery: Delivery) -> None:
    announce_after_commit(session)
    outbox.add(
        session,
        WebhookDeliveryRequested(webhook_id=delivery.webhook_id, delivery_id=delivery.id, event_type=delivery.event_type),
    )
