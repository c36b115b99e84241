"""The queue of mails: one row for each cause and recipient, kept until the mail server has taken it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.email.content import Content

_QUEUE = text("""
    INSERT INTO mail (cause, recipient, kind, content)
    SELECT :cause, min(address), :kind, CAST(:content AS json)
    FROM (
        SELECT p.email AS address
        FROM person p LEFT JOIN preference w ON w.user_id = p.id AND w.kind = :kind
        WHERE p.is_active AND coalesce(w.email, :by_habit)
          AND ('everyone' = ANY(:audiences) OR 'role/' || p.role = ANY(:audiences) OR 'user/' || p.id = ANY(:audiences))
        UNION ALL
        SELECT unnest(alert_emails) FROM company WHERE :to_alert_emails) recipients
    GROUP BY lower(address)
    ON CONFLICT (cause, recipient) DO NOTHING
""")

# Things of one kind for one recipient that wait at the same time go in one message. Which rows a message holds
# is settled when it is first taken: a second attempt is the same message, with the same id. While another replica is
# just taking some of its rows, the others are left to it: half a message would pass for the whole.
_TAKE_NEXT = text("""
    WITH next AS (
        SELECT id, recipient, kind, message_id FROM mail
        WHERE state = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ), together AS (
        SELECT m.id FROM mail m JOIN next n ON m.recipient = n.recipient AND m.kind = n.kind
            AND m.message_id IS NOT DISTINCT FROM n.message_id
        WHERE m.state = 'pending' AND m.next_attempt_at <= now()
        ORDER BY m.id LIMIT :most FOR UPDATE OF m SKIP LOCKED)
    UPDATE mail SET message_id = coalesce(message_id, :message_id), attempts = attempts + 1,
                    next_attempt_at = now() + make_interval(secs => :lease_seconds)
    WHERE id IN (SELECT id FROM together)
      AND NOT EXISTS (SELECT FROM mail other
                      WHERE other.message_id = mail.message_id AND other.state = 'pending'
                        AND other.id NOT IN (SELECT id FROM together))
    RETURNING id, recipient, kind, message_id, attempts, created_at, CAST(content AS text) AS content
""")
_ANYTHING_DUE = text("SELECT EXISTS (SELECT FROM mail WHERE state = 'pending' AND next_attempt_at <= now())")
_HOLD = text("""
    UPDATE mail SET next_attempt_at = now() + make_interval(secs => :lease_seconds)
    WHERE message_id = :message_id AND state = 'pending'
""")
_FINISH = text("""
    UPDATE mail SET state = :state, finished_at = now(), last_error = :error
    WHERE message_id = :message_id AND state = 'pending'
""")
_POSTPONE = text("""
    UPDATE mail SET next_attempt_at = now() + make_interval(secs => :pause_seconds), last_error = :error
    WHERE message_id = :message_id AND state = 'pending'
""")


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """One message: everything of a kind that one recipient is told at once. `attempts` counts this one."""

    message_id: str
    recipient: str
    kind: Kind
    contents: tuple[Content, ...]
    attempts: int
    queued_at: datetime


async def queue(
    session: AsyncSession,
    *,
    cause: UUID,
    kind: Kind,
    audiences: Sequence[str],
    content: Content,
    by_habit: bool,
    to_alert_emails: bool,
) -> None:
    values = {
        "cause": cause,
        "kind": kind,
        "audiences": list(audiences),
        "content": content.to_json(),
        "by_habit": by_habit,
        "to_alert_emails": to_alert_emails,
    }
    await session.execute(_QUEUE, values)


async def anything_due(session: AsyncSession) -> bool:
    return bool(await session.scalar(_ANYTHING_DUE))


async def take_next(session: AsyncSession, *, message_id: str, most: int, lease_seconds: float) -> QueuedMail | None:
    """The next message that is due, for us alone until the lease ends."""
    values = {"message_id": message_id, "most": most, "lease_seconds": lease_seconds}
    rows = sorted((await session.execute(_TAKE_NEXT, values)).all(), key=lambda row: row.id)
    if not rows:
        return None
    first = rows[0]
    return QueuedMail(
        message_id=first.message_id,
        recipient=first.recipient,
        kind=first.kind,
        contents=tuple(Content.from_json(row.content) for row in rows),
        attempts=max(row.attempts for row in rows),
        queued_at=min(row.created_at for row in rows),
    )


async def hold(session: AsyncSession, message_id: str, lease_seconds: float) -> None:
    """It is ours for a while longer."""
    await session.execute(_HOLD, {"message_id": message_id, "lease_seconds": lease_seconds})


async def finish(session: AsyncSession, message_id: str, state: str, error: str | None = None) -> None:
    """It was `sent`, or it has `failed` for good."""
    await session.execute(_FINISH, {"message_id": message_id, "state": state, "error": error})


async def postpone(session: AsyncSession, message_id: str, pause_seconds: float, error: str) -> None:
    values = {"message_id": message_id, "pause_seconds": pause_seconds, "error": error}
    await session.execute(_POSTPONE, values)
