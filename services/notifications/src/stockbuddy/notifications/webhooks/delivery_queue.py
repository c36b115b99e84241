"""The delivery queue shared by all replicas: fan-out of events to webhooks, and leasing of due deliveries.

Its transactions set synchronous_commit to off, which saves a disk flush per batch: after a crash of the database an
event may be fanned out, leased or sent again, which at-least-once delivery allows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.notifications.event_log.placeholder_queries import read_values
from stockbuddy.notifications.event_log.placeholders import disclose_json
from stockbuddy.notifications.event_log.visibility import ADDRESSED_EXPRESSION
from stockbuddy.notifications.webhooks.attempt import AttemptResult, PendingDelivery
from stockbuddy.notifications.webhooks.body import to_event_body, to_sample_body
from stockbuddy.notifications.webhooks.model import DeliveryState
from stockbuddy.notifications.webhooks.secrets import decrypt_secrets

DUE = "webhooks.due"
"""The commit signal of transactions that make deliveries due."""
MAX_LOGGED_ATTEMPTS = 50
"""The log of a delivery keeps the latest attempts."""

_WITH_DUE = """
    SELECT w.id FROM webhook w
    WHERE EXISTS (SELECT FROM webhook_delivery d
                  WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.next_attempt_at <= now()
                    AND (w.is_active OR d.sample IS NOT NULL))
"""
DUE_WORK = f"""
    SELECT FROM webhook_progress WHERE position < (SELECT max(position) FROM event_log)
    UNION ALL SELECT FROM ({_WITH_DUE}) with_due
"""
# Only one replica fans out at a time; others skip the locked row. Notifications are not delivered to webhooks: they are
# addressed to users, and the events that cause them are delivered.
_FAN_OUT = text("""
    WITH progress AS (
        SELECT position FROM webhook_progress FOR UPDATE SKIP LOCKED
    ), new_event AS (
        SELECT e.position, e.event_id, e.type FROM event_log e
        WHERE e.position > (SELECT position FROM progress) ORDER BY e.position LIMIT :limit
    ), created AS (
        INSERT INTO webhook_delivery (webhook_id, event_id, event_type, position)
        SELECT w.id, n.event_id, n.type, n.position
        FROM new_event n JOIN webhook w ON w.is_active AND n.position > w.from_position AND n.type ~ w.expression
             AND (w.visible_expression IS NULL OR n.type ~ w.visible_expression)
        WHERE n.type !~ :addressed
        ORDER BY n.position
        ON CONFLICT (webhook_id, event_id) DO NOTHING
        RETURNING webhook_id
    ), advanced AS (
        UPDATE webhook_progress SET position = (SELECT max(position) FROM new_event)
        WHERE EXISTS (SELECT FROM new_event))
    SELECT (SELECT count(*) FROM new_event) AS events, ARRAY(SELECT DISTINCT webhook_id FROM created) AS webhook_ids,
           set_config('synchronous_commit', 'off', true)
""")
# `next_attempt_at` is also the end of the lease: if the process dies, the delivery becomes due again.
_LEASE_DUE = text("""
    WITH due AS (
        SELECT d.id, w.url, w.field_permissions,
               ARRAY(SELECT s.encrypted_secret FROM webhook_secret s
                     WHERE s.webhook_id = w.id AND (s.signs_until IS NULL OR s.signs_until > now())
                     ORDER BY s.id DESC) AS secrets
        FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id
        WHERE w.id = :webhook_id AND d.state = 'pending' AND d.next_attempt_at <= now()
          AND (w.is_active OR d.sample IS NOT NULL)
        ORDER BY d.next_attempt_at, d.id LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    ), leased AS (
        UPDATE webhook_delivery d
        SET attempts = attempts + 1, attempts_in_schedule = attempts_in_schedule + 1,
            next_attempt_at = now() + make_interval(secs => :lease_seconds)
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.position, d.event_id, d.event_type, d.attempts_in_schedule, d.created_at, d.sample,
                  due.url, due.secrets, due.field_permissions,
                  CASE WHEN d.attempts_in_schedule > 1
                       THEN CAST(d.log[cardinality(d.log)] ->> 'at' AS timestamptz) END AS previous_attempt_at)
    SELECT l.id, CAST(l.event_id AS text) AS event_id, l.event_type, l.attempts_in_schedule, l.created_at, l.url,
           l.secrets, l.field_permissions, l.previous_attempt_at, e.subject, e.at, CAST(e.data AS text) AS data,
           CAST(l.sample AS text) AS sample, e.attributes ->> 'traceparent' AS traceparent,
           set_config('synchronous_commit', 'off', true)
    FROM leased l LEFT JOIN event_log e ON e.position = l.position
    ORDER BY l.id
""")
_RECORD = text("""
    WITH settings AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE webhook_delivery d
    SET state = t.state,
        next_attempt_at = now() + make_interval(secs => coalesce(t.retry_delay_seconds, 0)),
        finished_at = CASE WHEN t.state <> 'pending' THEN now() END,
        log = (d.log || t.entry)[greatest(1, cardinality(d.log) + 2 - :kept):]
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:retry_delays AS double precision[]),
                CAST(:entries AS json[])) AS t(id, state, retry_delay_seconds, entry), settings
    WHERE d.id = t.id
""")
_CANCEL = text("""
    UPDATE webhook_delivery d SET state = 'failed', finished_at = now()
    FROM webhook w
    WHERE w.id = d.webhook_id AND w.id = :webhook_id AND d.state = 'pending' AND d.sample IS NULL
      AND d.event_type !~ w.visible_expression
""")
_CLEAR_FAILING = text("""
    UPDATE webhook SET failing_since = NULL, failing_seconds = 0, failed_attempts = 0, last_failure_at = NULL,
                       warned_at = NULL
    WHERE id = :id AND failing_since IS NOT NULL
""")
# Up to `from_position` the fan-out has created no deliveries since the webhook was enabled again. Times are almost
# monotonic in the log; the audited events have an index by time.
_RESEND = text("""
    WITH missed AS (
        SELECT e.position, e.event_id, e.type FROM event_log e JOIN webhook w ON w.id = :webhook_id
        WHERE e.position >= (SELECT min(position) FROM event_log WHERE audited AND at >= :since)
          AND e.position <= (SELECT greatest(p.position, w.from_position) FROM webhook_progress p)
          AND e.type ~ w.expression AND e.type !~ :addressed
          AND (w.visible_expression IS NULL OR e.type ~ w.visible_expression)
          AND NOT EXISTS (SELECT FROM webhook_delivery d
                          WHERE d.webhook_id = w.id AND d.event_id = e.event_id AND d.state <> 'failed')
        ORDER BY e.position LIMIT :limit
    ), requested AS (
        INSERT INTO webhook_delivery AS d (webhook_id, event_id, event_type, position)
        SELECT :webhook_id, event_id, type, position FROM missed ORDER BY position
        ON CONFLICT (webhook_id, event_id) DO UPDATE
            SET state = 'pending', attempts_in_schedule = 0, next_attempt_at = now(), finished_at = NULL
        RETURNING 1)
    SELECT count(*) FROM requested
""")


@dataclass(frozen=True, slots=True)
class FanOutResult:
    """`events`: how many events of the log were processed; `webhook_ids`: webhooks with new deliveries."""

    events: int
    webhook_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class DeliveryTransition:
    """A delivery's state after an attempt; `retry_delay_seconds` if it stays pending."""

    result: AttemptResult
    state: DeliveryState
    retry_delay_seconds: float | None = None


async def fan_out(session: AsyncSession, limit: int) -> FanOutResult:
    """Create deliveries of the next `limit` events of the log for every active webhook with a matching pattern."""
    row = (await session.execute(_FAN_OUT, {"limit": limit, "addressed": ADDRESSED_EXPRESSION})).one()
    return FanOutResult(row.events, row.webhook_ids)


async def find_webhooks_with_due(session: AsyncSession) -> Sequence[int]:
    return (await session.scalars(text(_WITH_DUE))).all()


async def lease_due(
    session: AsyncSession, webhook_id: int, secret_box: SecretBox, *, limit: int, lease_seconds: float
) -> list[PendingDelivery]:
    """Due deliveries of one webhook. No other replica leases them until the lease expires."""
    values = {"webhook_id": webhook_id, "limit": limit, "lease_seconds": lease_seconds}
    rows = (await session.execute(_LEASE_DUE, values)).all()
    personal = await read_values(session, (row.data for row in rows))
    return [
        PendingDelivery(
            delivery_id=row.id,
            event_id=row.event_id,
            url=row.url,
            secrets=decrypt_secrets(secret_box, row.secrets),
            attempt=row.attempts_in_schedule,
            previous_attempt_at=row.previous_attempt_at,
            traceparent=row.traceparent,
            body=to_sample_body(row) if row.sample is not None else disclose_json(to_event_body(row), personal),
        )
        for row in rows
    ]


async def record_transitions(
    session: AsyncSession, webhook_id: int, transitions: Mapping[int, DeliveryTransition]
) -> None:
    """Store transitions of one webhook, by delivery id. A success ends its failing time."""
    await session.execute(
        _RECORD,
        {
            "ids": list(transitions),
            "states": [transition.state for transition in transitions.values()],
            "retry_delays": [transition.retry_delay_seconds for transition in transitions.values()],
            "entries": [json.dumps(transition.result.to_log_entry()) for transition in transitions.values()],
            "kept": MAX_LOGGED_ATTEMPTS,
        },
    )
    if any(transition.result.is_success for transition in transitions.values()):
        await session.execute(_CLEAR_FAILING, {"id": webhook_id})


async def cancel_invisible(session: AsyncSession, webhook_id: int) -> None:
    """Cancel pending deliveries of events that the owner may no longer see."""
    await session.execute(_CANCEL, {"webhook_id": webhook_id})


async def resend_since(session: AsyncSession, webhook_id: int, since: datetime, limit: int) -> int:
    """Request the delivery of at most `limit` events since then that are neither delivered nor pending. Returns how
    many it requested."""
    values = {"webhook_id": webhook_id, "since": since, "limit": limit, "addressed": ADDRESSED_EXPRESSION}
    return await session.scalar(_RESEND, values) or 0
