"""Handlers of the events of scheduled reports, once per event."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import decode
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.stock import ReportFailed, ReportProduced, ReportSchedulePaused
from stockbuddy.notifications.alert_text import AlertText
from stockbuddy.notifications.alerts.commands import raise_alert
from stockbuddy.notifications.audience import user_audience
from stockbuddy.notifications.email.content import Content, EmailDetails
from stockbuddy.notifications.email.languages import language_of
from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.replicas.company import get_company
from stockbuddy.notifications.replicas.roles import get_permissions
from stockbuddy.notifications.replicas.users import list_active_users
from stockbuddy.notifications.reports import texts


async def notify_report_produced(session: AsyncSession, messages: Sequence[Message]) -> None:
    """The recipients who may read the report now. The file is not sent: what one may read is checked when it is
    downloaded, and an erasure reaches it."""
    for message in messages:
        event = decode(ReportProduced, message)
        text, content = texts.report_ready(event, (await get_company(session)).zone)
        readers = await _readers_among(session, event.recipient_ids, event.required_permissions)
        await _notify(session, message, "report_ready", event.schedule_id, readers, (text, content, event.language))


async def notify_report_failed(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(ReportFailed, message)
        text, content = texts.report_failed(event)
        owner = [event.owner_id]
        await _notify(session, message, "report_failed", event.schedule_id, owner, (text, content, event.language))


async def notify_schedule_paused(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        event = decode(ReportSchedulePaused, message)
        text, content = texts.report_paused(event)
        owner = [event.owner_id]
        await _notify(session, message, "report_failed", event.id, owner, (text, content, event.language))


async def _readers_among(session: AsyncSession, user_ids: Sequence[int], required: Collection[str]) -> list[int]:
    users = await list_active_users(session, user_ids)
    return [user_id for user_id, role in users.items() if frozenset(required) <= await get_permissions(session, role)]


async def _notify(
    session: AsyncSession,
    message: Message,
    kind: Kind,
    schedule_id: int,
    user_ids: Sequence[int],
    wording: tuple[AlertText, Content, str],
) -> None:
    """`wording`: the text in the app, the content of the e-mail, and its language."""
    text, content, language = wording
    audiences = [user_audience(user_id) for user_id in user_ids]
    email = EmailDetails(content, language_of(language), f"/report-schedules?schedule={schedule_id}")
    await raise_alert(session, message, kind, text, f"report-schedule/{schedule_id}", audiences, email=email)
