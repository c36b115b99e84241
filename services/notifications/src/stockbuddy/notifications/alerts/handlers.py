"""Hears what somebody should know at once, and tells them, once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.messaging.handlers import decode, event_context_of
from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.notifications import WebhookDisabled
from stockbuddy.contracts.stock import ActivityUnusual, LevelCrossing
from stockbuddy.notifications.alerts import texts
from stockbuddy.notifications.alerts.commands import raise_alert
from stockbuddy.notifications.alerts.queries import lock_standing, set_standing
from stockbuddy.notifications.alerts.level_alert import Standing, standing_of
from stockbuddy.notifications.audience import of_user
from stockbuddy.notifications.replicas.users import names_of


async def watch_levels(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        level = decode(LevelCrossing, message)
        before = await lock_standing(session, level)
        after = before.after(standing_of(message.type, level))
        if after != before:
            await set_standing(session, level, after)
        if after.is_worse_than(before):
            await _tell_of(session, message, level, after)


async def _tell_of(session: AsyncSession, message: Message, level: LevelCrossing, standing: Standing) -> None:
    names = await names_of(session, [texts.product_subject(level), texts.warehouse_subject(level)])
    cause, about = UUID(message.id), texts.product_subject(level)
    if standing.state == "low":
        await raise_alert(session, cause, "low_stock", texts.low_stock(level, names), about)
    else:
        await raise_alert(session, cause, "out_of_stock", texts.out_of_stock(level, names), about)


async def tell_of_unusual_activity(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(ActivityUnusual, message)
        names = await names_of(session, [texts.product_subject(event), texts.warehouse_subject(event)])
        content = texts.unusual_activity(event, names, event_context_of(message).actor_name)
        await raise_alert(session, UUID(message.id), "unusual_activity", content, event.subject())


async def tell_of_finished_import(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(ImportFinished, message)
        importer = event_context_of(message).actor_id
        if importer is not None:
            content, audience = texts.import_finished(event), of_user(importer)
            await raise_alert(session, UUID(message.id), "import_finished", content, event.subject(), [audience])


async def tell_of_disabled_webhook(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(WebhookDisabled, message)
        content = texts.webhook_disabled(event)
        await raise_alert(session, UUID(message.id), "webhook_disabled", content, event.subject())
