"""Records the results of attempts: the deliveries' new states, and what repeated failures mean for the webhook."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.notifications import WebhookFailing
from stockbuddy.notifications.webhooks import delivery_queue
from stockbuddy.notifications.webhooks.attempt import PendingDelivery
from stockbuddy.notifications.webhooks.commands import disable_webhook
from stockbuddy.notifications.webhooks.delivery_queue import DeliveryTransition
from stockbuddy.notifications.webhooks.model import Webhook
from stockbuddy.notifications.webhooks.queries import find_and_lock_webhook

ANNOUNCEMENT_INTERVAL = timedelta(days=1)
"""At most one notification of failed deliveries per webhook in this time; the list of deliveries has all of them."""

Results = Mapping[PendingDelivery, DeliveryTransition]


async def record_results(
    session: AsyncSession, webhook_id: int, results: Results, *, disable_after_seconds: float
) -> None:
    """`results` of one webhook. Announces a delivery that failed for good, warns before the webhook is disabled, and
    disables it after `disable_after_seconds` of failing, or at once if its receiver responds 410 Gone."""
    transitions = {delivery.delivery_id: transition for delivery, transition in results.items()}
    await delivery_queue.record_transitions(session, webhook_id, transitions)
    has_success = any(transition.result.is_success for transition in transitions.values())
    failed = next((item for item in results.items() if item[1].state == "failed"), None)
    if has_success and failed is None:
        return
    webhook = await find_and_lock_webhook(session, webhook_id)
    if webhook is None:
        return
    if failed is not None:
        _announce_failed_delivery(session, webhook, *failed)
    if not has_success:
        for delivery, transition in sorted(results.items(), key=lambda item: item[1].result.at):
            webhook.record_failure(transition.result.at, delivery.previous_attempt_at)
        _disable_or_warn(session, webhook, results, disable_after_seconds)


def _announce_failed_delivery(
    session: AsyncSession, webhook: Webhook, delivery: PendingDelivery, transition: DeliveryTransition
) -> None:
    now = clock.now()
    if webhook.failure_announced_at is not None and now - webhook.failure_announced_at < ANNOUNCEMENT_INTERVAL:
        return
    webhook.failure_announced_at = now
    result = transition.result
    cause = result.error or f"status {result.status_code}"
    reason = f"Delivery {delivery.delivery_id} failed after its last attempt: {cause}."
    outbox.add(session, _failing(webhook, reason))


def _disable_or_warn(session: AsyncSession, webhook: Webhook, results: Results, disable_after_seconds: float) -> None:
    if not webhook.is_active:
        return
    since = f"Every delivery has failed since {webhook.failing_since:%Y-%m-%d %H:%M} UTC"
    if any(transition.result.is_gone for transition in results.values()):
        disable_webhook(session, webhook, "The receiver responded 410 Gone.")
    elif webhook.is_to_be_disabled(disable_after_seconds):
        disable_webhook(session, webhook, f"{since}.")
    elif webhook.is_to_be_warned(disable_after_seconds):
        webhook.warned_at = clock.now()
        outbox.add(session, _failing(webhook, f"{since}. If this continues, the webhook will be disabled."))


def _failing(webhook: Webhook, reason: str) -> WebhookFailing:
    return WebhookFailing(webhook_id=webhook.id, host=urlsplit(webhook.url).hostname or "", reason=reason)
