"""Hears everything and writes it down."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.notifications.event_log import append
from stockbuddy.notifications.news import announce_after_commit


async def record_events(session: AsyncSession, messages: Sequence[Message]) -> None:
    await append.append(session, messages)
    announce_after_commit(session)
