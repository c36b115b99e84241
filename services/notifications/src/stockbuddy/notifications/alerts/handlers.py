"""Handlers of events that raise alerts, once per event."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import decode, event_context_of
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import EmailFailed, EmailsDelayed
from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.notifications import (
    NotificationEmailFailed,
    NotificationEmailsDelayed,
    WebhookDisabled,
    WebhookFailing,
)
from stockbuddy.contracts.stock import ActivityUnusual, LevelCrossing
from stockbuddy.notifications.alert_text import AlertText
from stockbuddy.notifications.alerts import texts
from stockbuddy.notifications.alerts.commands import raise_alert
from stockbuddy.notifications.alerts.level_alert import LevelAlertState, is_downward, state_from_crossing
from stockbuddy.notifications.alerts.queries import has_recent_notification, lock_level_alert, update_level_alert
from stockbuddy.notifications.audience import user_audience
from stockbuddy.notifications.replicas.names import find_names


async def notify_level_crossings(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        level = decode(LevelCrossing, message)
        before = await lock_level_alert(session, level)
        after = before.after(state_from_crossing(message.type, level))
        if after != before:
            await update_level_alert(session, level, after)
        if after.is_worse_than(before) and is_downward(level):
            await _notify_level(session, message, level, after)


async def _notify_level(session: AsyncSession, message: Message, level: LevelCrossing, after: LevelAlertState) -> None:
    names = await find_names(session, texts.subjects(level))
    about = texts.product_subject(level)
    if after.state == "low":
        await raise_alert(session, message, "low_stock", texts.low_stock(level, names), about)
    else:
        await raise_alert(session, message, "out_of_stock", texts.out_of_stock(level, names), about)


async def notify_unusual_activity(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(ActivityUnusual, message)
        names = await find_names(session, texts.subjects(event))
        text = texts.unusual_activity(event, names, event_context_of(message).actor_name)
        await raise_alert(session, message, "unusual_activity", text, event.subject())


async def notify_import_finished(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(ImportFinished, message)
        importer = event_context_of(message).actor_id
        if importer is not None:
            text, audience = texts.import_finished(event), user_audience(importer)
            await raise_alert(session, message, "import_finished", text, event.subject(), [audience])


async def notify_webhook_disabled(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(WebhookDisabled, message)
        text = texts.webhook_disabled(event)
        await raise_alert(session, message, "webhook_disabled", text, event.subject())


async def notify_webhook_failing(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(WebhookFailing, message)
        text = texts.webhook_failing(event)
        await raise_alert(session, message, "webhook_failing", text, event.subject())


async def notify_email_failed(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Of this service or of auth. At most one notification a day: the lists of e-mails have all of them."""
    for message in messages:
        event: EmailFailed | NotificationEmailFailed
        if message.type == EmailFailed.type:
            event = decode(EmailFailed, message)
        else:
            event = decode(NotificationEmailFailed, message)
        await _notify_once_a_day(session, message, texts.email_failed(event), event.subject())


async def notify_emails_delayed(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event: EmailsDelayed | NotificationEmailsDelayed
        if message.type == EmailsDelayed.type:
            event = decode(EmailsDelayed, message)
        else:
            event = decode(NotificationEmailsDelayed, message)
        await _notify_once_a_day(session, message, texts.emails_delayed(event), event.subject())


async def _notify_once_a_day(session: AsyncSession, message: Message, text: AlertText, about_subject: str) -> None:
    if not await has_recent_notification(session, "email_failed", text.content.title):
        await raise_alert(session, message, "email_failed", text, about_subject)
