"""Creates, updates and deletes webhooks, and requests deliveries."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.http.etags import require_match, version_etag
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.contracts.notifications import (
    WebhookCreated,
    WebhookDeleted,
    WebhookDeliveryRequested,
    WebhookDisabled,
    WebhookResendRequested,
    WebhookSecretRotated,
    WebhookUpdated,
)
from stockbuddy.notifications.errors import DeliveryInFlight, TooManyWebhooks, UnknownWebhook, WebhookInactive
from stockbuddy.notifications.event_log.queries import read_head
from stockbuddy.notifications.webhooks import queries
from stockbuddy.notifications.webhooks.delivery_queue import DUE, MAX_LOGGED_ATTEMPTS, resend_since
from stockbuddy.notifications.webhooks.model import Delivery, Webhook
from stockbuddy.notifications.webhooks.schemas import WebhookCreate
from stockbuddy.notifications.webhooks.secrets import add_secret, retire_current_secret

MAX_WEBHOOKS = 100
MAX_RESENT = 10_000
TEST_TYPE = "notifications.webhook.test"


async def create_webhook(
    session: AsyncSession, owner: Principal, body: WebhookCreate, secret_box: SecretBox
) -> tuple[Webhook, str]:
    """The webhook, which receives events from now on, and its secret. Raises TooManyWebhooks."""
    if await queries.count_for_creation(session) >= MAX_WEBHOOKS:
        raise TooManyWebhooks()
    webhook = Webhook(
        url=body.url,
        description=body.description,
        is_active=body.is_active,
        from_position=(await read_head(session)).position,
    )
    webhook.subscribe_to(body.event_types)
    webhook.grant(owner)
    session.add(webhook)
    await session.flush()
    outbox.add(session, webhook.to_event(WebhookCreated))
    return webhook, add_secret(session, secret_box, webhook.id)


async def lock_webhook(session: AsyncSession, webhook_id: int, if_match: str | None) -> Webhook:
    """The webhook, locked until the transaction ends. Raises UnknownWebhook, PreconditionFailed."""
    webhook = await queries.find_and_lock_webhook(session, webhook_id)
    if webhook is None:
        raise UnknownWebhook()
    require_match(if_match, version_etag(webhook.version))
    return webhook


async def update_webhook(session: AsyncSession, owner: Principal, webhook: Webhook, fields: dict[str, Any]) -> None:
    """`fields` by name. `owner` becomes its owner. Equal values change nothing and publish no event."""
    changes = {name: value for name, value in fields.items() if getattr(webhook, name) != value}
    if not changes:
        return
    if "url" in changes:
        webhook.url = changes["url"]
    if "description" in changes:
        webhook.description = changes["description"]
    if "event_types" in changes:
        webhook.subscribe_to(changes["event_types"])
    if changes.get("is_active") is True:
        webhook.enable((await read_head(session)).position)
        signal_on_commit(session, DUE)
    elif "is_active" in changes:
        webhook.is_active = False
    webhook.grant(owner)
    webhook.increment_version()
    outbox.add(session, webhook.to_event(WebhookUpdated))


def disable_webhook(session: AsyncSession, webhook: Webhook, reason: str) -> None:
    """Stop deliveries to a webhook that fails permanently."""
    webhook.disable(reason)
    webhook.increment_version()
    outbox.add(session, webhook.to_event(WebhookDisabled, reason=reason))


async def delete_webhook(session: AsyncSession, webhook: Webhook) -> None:
    webhook.increment_version()
    outbox.add(session, webhook.to_event(WebhookDeleted, deleted=True))
    await session.delete(webhook)


async def rotate_secret(
    session: AsyncSession, webhook: Webhook, secret_box: SecretBox, *, signs_until: datetime
) -> str:
    """The new secret; the current one signs, too, until `signs_until`. Raises TooManySecrets."""
    await retire_current_secret(session, webhook.id, signs_until)
    webhook.increment_version()
    outbox.add(session, webhook.to_event(WebhookSecretRotated))
    return add_secret(session, secret_box, webhook.id)


async def send_test(session: AsyncSession, webhook: Webhook) -> Delivery:
    """Request the delivery of a sample event. An inactive webhook receives it, too, so that it can be tested first."""
    sample = {"webhook_id": webhook.id, "message": "This is a test."}
    delivery = Delivery(webhook_id=webhook.id, event_id=uuid4(), event_type=TEST_TYPE, sample=sample)
    session.add(delivery)
    await session.flush()
    _request(session, delivery)
    return delivery


async def redeliver(session: AsyncSession, webhook: Webhook, delivery_id: int) -> Delivery:
    """Deliver again, with a new retry schedule. Raises UnknownDelivery, DeliveryInFlight, WebhookInactive."""
    # The log of a delivery in flight lacks an entry for the current attempt.
    is_idle = or_(
        Delivery.state != "pending",
        func.cardinality(Delivery.log) == func.least(Delivery.attempts, MAX_LOGGED_ATTEMPTS),
    )
    delivery: Delivery | None = await session.scalar(
        update(Delivery)
        .where(Delivery.webhook_id == webhook.id, Delivery.id == delivery_id, is_idle)
        .values(state="pending", attempts_in_schedule=0, next_attempt_at=func.now(), finished_at=None)
        .returning(Delivery)
    )
    if delivery is None:
        await queries.load_delivery(session, webhook.id, delivery_id)
        raise DeliveryInFlight()
    if not webhook.is_active:
        raise WebhookInactive()
    _request(session, delivery)
    return delivery


async def resend(session: AsyncSession, webhook: Webhook, since: datetime) -> int:
    """Request the delivery of events since then that are neither delivered nor pending: what the webhook missed while
    it was failing or disabled. Returns how many, at most MAX_RESENT. Raises WebhookInactive."""
    if not webhook.is_active:
        raise WebhookInactive()
    count = await resend_since(session, webhook.id, since, MAX_RESENT)
    signal_on_commit(session, DUE)
    outbox.add(session, WebhookResendRequested(webhook_id=webhook.id, since=since, deliveries=count))
    return count


def _request(session: AsyncSession, delivery: Delivery) -> None:
    signal_on_commit(session, DUE)
    event = WebhookDeliveryRequested(
        webhook_id=delivery.webhook_id, delivery_id=delivery.id, event_type=delivery.event_type
    )
    outbox.add(session, event)
