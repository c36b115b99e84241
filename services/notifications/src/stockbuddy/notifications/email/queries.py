"""The e-mail queue: one row per cause and recipient, kept until the SMTP server has responded to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page
from stockbuddy.notifications.email.content import Content, EmailDetails
from stockbuddy.notifications.email.languages import Language, language_of
from stockbuddy.notifications.email.model import QueuedEmail
from stockbuddy.notifications.email.schemas import EmailFilter
from stockbuddy.notifications.kinds import DEFAULT_CHANNELS, Kind

# An e-mail waits until the interval of its kind has passed since the last one to the recipient, or since now while that
# one is being sent. Those that wait become one message.
_INSERT = text("""
    WITH address AS (
        SELECT min(address) AS address
        FROM (
            SELECT u.email AS address
            FROM user_replica u LEFT JOIN preference p ON p.user_id = u.id AND p.kind = :kind
            WHERE u.is_active AND u.email_confirmed AND coalesce(p.email, :by_default) AND ('everyone' = ANY(:audiences)
                OR 'role/' || u.role = ANY(:audiences) OR 'user/' || u.id = ANY(:audiences))
            UNION ALL
            SELECT unnest(alert_emails) FROM company_replica WHERE :to_alert_emails) wanted
        GROUP BY lower(address)
    ), replaced AS (
        UPDATE queued_email SET content = CAST(:content AS json), language = :language
        WHERE :latest_only AND state = 'pending' AND message_id IS NULL AND kind = :kind AND path = :path
            AND recipient IN (SELECT address FROM address)
        RETURNING recipient)
    INSERT INTO queued_email (cause, recipient, kind, content, language, path, next_attempt_at)
    SELECT :cause, address, :kind, CAST(:content AS json), :language, :path, greatest(now(), (
        SELECT max(before) + make_interval(secs => :interval_seconds) FROM (
            SELECT finished_at AS before FROM queued_email
            WHERE state = 'sent' AND finished_at > now() - make_interval(secs => :interval_seconds)
                AND kind = :kind AND recipient = address
            UNION ALL
            SELECT now() FROM queued_email
            WHERE state = 'pending' AND message_id IS NOT NULL AND kind = :kind AND recipient = address) earlier))
    FROM address WHERE address NOT IN (SELECT recipient FROM replaced)
    ON CONFLICT (cause, recipient) DO NOTHING
""")

_INSERT_TO = text("""
    INSERT INTO queued_email (cause, recipient, kind, content)
    SELECT :cause, recipient, :kind, CAST(:content AS json) FROM unnest(CAST(:recipients AS text[])) AS r(recipient)
    ON CONFLICT (cause, recipient) DO NOTHING
""")

# Rows of one kind, language and recipient form one message as soon as one of them is due. Its rows are fixed by its
# first lease: a retry is the same message with the same Message-ID. SKIP LOCKED skips rows that another replica is
# leasing; if some of a message's rows are among them, the whole message is left to that replica, because half of it
# must not be sent.
_LEASE_NEXT = text("""
    WITH next AS (
        SELECT id, recipient, kind, language, message_id FROM queued_email
        WHERE state = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ), together AS (
        SELECT m.id FROM queued_email m JOIN next n ON m.recipient = n.recipient AND m.kind = n.kind
            AND m.language = n.language
            AND m.message_id IS NOT DISTINCT FROM n.message_id
        WHERE m.state = 'pending' AND (m.next_attempt_at <= now() OR m.message_id IS NULL)
        ORDER BY m.id LIMIT :limit FOR UPDATE OF m SKIP LOCKED)
    UPDATE queued_email SET message_id = coalesce(message_id, :message_id), attempts = attempts + 1,
                    next_attempt_at = now() + make_interval(secs => :lease_seconds)
    WHERE id IN (SELECT id FROM together)
      AND NOT EXISTS (SELECT FROM queued_email other
                      WHERE other.message_id = queued_email.message_id AND other.state = 'pending'
                        AND other.id NOT IN (SELECT id FROM together))
    RETURNING id, recipient, kind, message_id, attempts, created_at, language, path,
        CAST(content AS text) AS content
""")
DUE = "SELECT FROM queued_email WHERE state = 'pending' AND next_attempt_at <= now()"
_RENEW_LEASE = text("""
    UPDATE queued_email SET next_attempt_at = now() + make_interval(secs => :lease_seconds)
    WHERE message_id = :message_id AND state = 'pending'
""")
_COMPLETE = text("""
    UPDATE queued_email SET state = :state, finished_at = now(), last_error = :error
    WHERE message_id = :message_id AND state = 'pending'
""")
# The outage begins with the first e-mail that waits for the server; it is recorded in the e-mails that are due.
_RECORD_OUTAGE = text("""
    WITH before AS (
        SELECT bool_or(last_error = :reason) AS is_known, min(created_at) AS waiting_since FROM queued_email
        WHERE state = 'pending'
    ), recorded AS (
        UPDATE queued_email SET last_error = :reason
        WHERE state = 'pending' AND next_attempt_at <= now() AND last_error IS DISTINCT FROM :reason)
    SELECT waiting_since FROM before WHERE NOT coalesce(is_known, false)
""")
_RESCHEDULE = text("""
    UPDATE queued_email SET next_attempt_at = now() + make_interval(secs => :delay_seconds), last_error = :error
    WHERE message_id = :message_id AND state = 'pending'
""")


@dataclass(frozen=True, slots=True)
class LeasedEmail:
    """One message with all contents of a kind that wait for one recipient. `attempts` includes the current one;
    `documents` are contents as JSON, not parsed yet: one that cannot be parsed must not stop the queue. `paths`: their
    links."""

    message_id: str
    recipient: str
    kind: str
    documents: tuple[str, ...]
    paths: tuple[str | None, ...]
    language: Language
    attempts: int
    queued_at: datetime


async def insert_emails(
    session: AsyncSession,
    cause: UUID,
    kind: Kind,
    audiences: Sequence[str],
    email: EmailDetails,
    *,
    traceparent: str | None = None,
) -> None:
    channels = DEFAULT_CHANNELS[kind]
    values = {
        "cause": cause,
        "kind": kind,
        "audiences": list(audiences),
        "content": email.content.to_json(traceparent),
        "language": email.language,
        "path": email.path,
        "by_default": channels.email,
        "to_alert_emails": channels.alert_emails,
        "interval_seconds": channels.email_interval_seconds,
        "latest_only": channels.latest_only,
    }
    await session.execute(_INSERT, values)


async def insert_emails_to(
    session: AsyncSession, recipients: Sequence[str], *, cause: UUID, kind: str, content: Content
) -> None:
    """To these addresses, whether they belong to users or not."""
    values = {"cause": cause, "recipients": list(recipients), "kind": kind, "content": content.to_json()}
    await session.execute(_INSERT_TO, values)


async def lease_next(session: AsyncSession, *, message_id: str, limit: int, lease_seconds: float) -> LeasedEmail | None:
    """The next due message, with at most `limit` contents. No other replica leases it until the lease expires.
    `message_id` is used if the message has none yet."""
    values = {"message_id": message_id, "limit": limit, "lease_seconds": lease_seconds}
    rows = sorted((await session.execute(_LEASE_NEXT, values)).all(), key=lambda row: row.id)
    if not rows:
        return None
    first = rows[0]
    return LeasedEmail(
        message_id=first.message_id,
        recipient=first.recipient,
        kind=first.kind,
        documents=tuple(row.content for row in rows),
        paths=tuple(row.path for row in rows),
        language=language_of(first.language),
        attempts=max(row.attempts for row in rows),
        queued_at=min(row.created_at for row in rows),
    )


async def renew_lease(session: AsyncSession, message_id: str, lease_seconds: float) -> None:
    await session.execute(_RENEW_LEASE, {"message_id": message_id, "lease_seconds": lease_seconds})


async def complete(session: AsyncSession, message_id: str, state: str, error: str | None = None) -> None:
    """`state` is `sent` or `failed`; neither is retried."""
    await session.execute(_COMPLETE, {"message_id": message_id, "state": state, "error": error})


async def record_outage(session: AsyncSession, reason: str) -> datetime | None:
    """Since when e-mails wait, or None if this outage is recorded already."""
    since: datetime | None = await session.scalar(_RECORD_OUTAGE, {"reason": reason})
    return since


async def list_emails(session: AsyncSession, filters: EmailFilter) -> PageSlice[QueuedEmail]:
    """Newest first."""
    statement = select(QueuedEmail)
    if filters.state is not None:
        statement = statement.where(QueuedEmail.state == filters.state)
    return await fetch_page(session, statement, SortOrder("id_desc", (QueuedEmail.id,), descending=True), filters)


async def lock_email(session: AsyncSession, email_id: int) -> QueuedEmail | None:
    return await session.get(QueuedEmail, email_id, with_for_update=True)


async def reschedule(session: AsyncSession, message_id: str, delay_seconds: float, error: str) -> None:
    values = {"message_id": message_id, "delay_seconds": delay_seconds, "error": error}
    await session.execute(_RESCHEDULE, values)
