"""Raises alerts: in-app notifications for audiences, and e-mails to those who want them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.message import Message
from stockbuddy.notifications.alert_text import AlertText
from stockbuddy.notifications.audience import role_audience
from stockbuddy.notifications.email.commands import queue_emails
from stockbuddy.notifications.email.content import EmailDetails
from stockbuddy.notifications.inapp.commands import notify
from stockbuddy.notifications.kinds import DEFAULT_CHANNELS, Kind


async def raise_alert(
    session: AsyncSession,
    cause: Message,
    kind: Kind,
    text: AlertText,
    about_subject: str,
    audiences: Sequence[str] | None = None,
    *,
    email: EmailDetails | None = None,
) -> None:
    """`cause` is the event that causes the alert. Default `audiences`: the kind's roles. `email`: by default what the
    app says."""
    if audiences is None:
        audiences = [role_audience(role) for role in DEFAULT_CHANNELS[kind].roles]
    for audience in audiences:
        await notify(session, audience, kind, text.content, about_subject, text)
    await queue_emails(
        session,
        cause=UUID(cause.id),
        kind=kind,
        audiences=audiences,
        email=email or EmailDetails(text.content),
        traceparent=cause.headers.get("traceparent"),
    )
