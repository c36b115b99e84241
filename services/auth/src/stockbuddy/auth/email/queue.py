"""Puts letters into the queue and takes them out."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.model import Letter, LetterKind
from stockbuddy.chassis.messaging.event_context import current_event_context


async def queue_letter(session: AsyncSession, kind: LetterKind, recipient: str, now: datetime) -> None:
    """Of password resets one for each address waits; asking again while it does changes nothing."""
    origin = current_event_context()
    statement = insert(Letter).values(
        kind=kind,
        recipient=recipient,
        request_id=origin.request_id,
        client_ip=origin.client_ip,
        written_at=now,
        attempts=0,
        next_attempt_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing())


async def take_letter(session: AsyncSession, now: datetime, lease: timedelta) -> Letter | None:
    """The next letter that is due. Unless it is deleted within the lease, somebody takes it again."""
    due = select(Letter).where(Letter.next_attempt_at <= now).order_by(Letter.next_attempt_at, Letter.id).limit(1)
    letter = await session.scalar(due.with_for_update(skip_locked=True))
    if letter is not None:
        letter.attempts += 1
        letter.next_attempt_at = now + lease * letter.attempts
    return letter


async def delete_letter(session: AsyncSession, letter_id: int) -> None:
    await session.execute(delete(Letter).where(Letter.id == letter_id))
