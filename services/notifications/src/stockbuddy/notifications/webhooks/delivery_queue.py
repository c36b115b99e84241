"""What the senders of all replicas take turns at: dealing the log out to webhooks, and taking deliveries that are due.

Whatever is taken is another's only when its lease has ended; nobody waits for anybody. None of these transactions waits
for the disk either: what a crash of the database undoes of them is dealt out, taken or sent once more, as promised.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.event_log.visibility import ADDRESSED_EXPRESSION
from stockbuddy.notifications.webhooks.attempt import Outcome, Parcel
from stockbuddy.notifications.webhooks.body import body_of, sample_body
from stockbuddy.notifications.webhooks.queries import KEPT_ATTEMPTS

# One dealer at a time: whoever finds the row locked leaves it to them. Notifications of single people are not
# dealt out; what they tell of is in the log as an event of its own.
_DEAL_OUT = text("""
    WITH progress AS (
        SELECT position FROM webhook_progress FOR UPDATE SKIP LOCKED
    ), fresh AS (
        SELECT e.position, e.event_id, e.type FROM event_log e
        WHERE e.position > (SELECT position FROM progress) ORDER BY e.position LIMIT :most
    ), dealt AS (
        INSERT INTO webhook_delivery (webhook_id, event_id, event_type, position)
        SELECT w.id, f.event_id, f.type, f.position
        FROM fresh f JOIN webhook w ON w.is_active AND f.position > w.since_position AND f.type ~ w.expression
        WHERE f.type !~ :addressed
        ORDER BY f.position
        ON CONFLICT (webhook_id, event_id) DO NOTHING
        RETURNING webhook_id
    ), moved AS (
        UPDATE webhook_progress SET position = (SELECT max(position) FROM fresh) WHERE EXISTS (SELECT FROM fresh))
    SELECT (SELECT count(*) FROM fresh) AS seen, ARRAY(SELECT DISTINCT webhook_id FROM dealt) AS webhook_ids,
           set_config('synchronous_commit', 'off', true)
""")
_WITH_DUE = text("""
    SELECT w.id FROM webhook w
    WHERE EXISTS (SELECT FROM webhook_delivery d
                  WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.next_attempt_at <= now()
                    AND (w.is_active OR d.sample IS NOT NULL))
""")
_TAKE_DUE = text("""
    WITH due AS (
        SELECT d.id, w.url, w.secret,
               CASE WHEN w.previous_secret_until > now() THEN w.previous_secret END AS previous_secret
        FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id
        WHERE w.id = :webhook_id AND d.state = 'pending' AND d.next_attempt_at <= now()
          AND (w.is_active OR d.sample IS NOT NULL)
        ORDER BY d.next_attempt_at, d.id LIMIT :most FOR UPDATE OF d SKIP LOCKED
    ), taken AS (
        UPDATE webhook_delivery d
        SET attempts = attempts + 1, tries = tries + 1, next_attempt_at = now() + make_interval(secs => :lease_seconds)
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.position, d.event_id, d.event_type, d.tries, d.created_at, d.sample,
                  due.url, due.secret, due.previous_secret)
    SELECT t.id, CAST(t.event_id AS text) AS event_id, t.event_type, t.tries, t.created_at, t.url, t.secret,
           t.previous_secret, e.subject, e.at, CAST(e.data AS text) AS data, CAST(t.sample AS text) AS sample,
           set_config('synchronous_commit', 'off', true)
    FROM taken t LEFT JOIN event_log e ON e.position = t.position
    ORDER BY t.id
""")
_RECORD = text("""
    WITH settings AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE webhook_delivery d
    SET state = o.state,
        next_attempt_at = now() + make_interval(secs => coalesce(o.pause_seconds, 0)),
        finished_at = CASE WHEN o.state <> 'pending' THEN now() END,
        log = (d.log || o.entry)[greatest(1, cardinality(d.log) + 2 - :kept):]
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:pauses AS double precision[]),
                CAST(:entries AS json[])) AS o(id, state, pause_seconds, entry), settings
    WHERE d.id = o.id
""")
_WELL = text("UPDATE webhook SET failing_since = NULL WHERE id = :id AND failing_since IS NOT NULL")
_FAILING = text("UPDATE webhook SET failing_since = now() WHERE id = :id AND failing_since IS NULL")


@dataclass(frozen=True, slots=True)
class Deal:
    """`seen` events were looked at; the webhooks of `webhook_ids` got some of them."""

    seen: int
    webhook_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery after an attempt; a pending one rests for `pause_seconds`."""

    outcome: Outcome
    state: str
    pause_seconds: float | None = None


async def deal_out(session: AsyncSession, most: int) -> Deal:
    """Make deliveries of the next events of the log for every active webhook that wants them."""
    row = (await session.execute(_DEAL_OUT, {"most": most, "addressed": ADDRESSED_EXPRESSION})).one()
    return Deal(row.seen, row.webhook_ids)


async def webhooks_with_due(session: AsyncSession) -> Sequence[int]:
    return (await session.scalars(_WITH_DUE)).all()


async def take_due(session: AsyncSession, webhook_id: int, *, most: int, lease_seconds: float) -> list[Parcel]:
    """What is due for one webhook, for us alone until the lease ends."""
    values = {"webhook_id": webhook_id, "most": most, "lease_seconds": lease_seconds}
    return [
        Parcel(
            delivery_id=row.id,
            event_id=row.event_id,
            url=row.url,
            secrets=tuple(secret for secret in (row.secret, row.previous_secret) if secret),
            tries=row.tries,
            body=sample_body(row) if row.sample is not None else body_of(row),
        )
        for row in await session.execute(_TAKE_DUE, values)
    ]


async def record(session: AsyncSession, webhook_id: int, verdicts: Mapping[int, Verdict]) -> None:
    """Write down what became of some deliveries of one webhook, and whether it is well."""
    await session.execute(
        _RECORD,
        {
            "ids": list(verdicts),
            "states": [verdict.state for verdict in verdicts.values()],
            "pauses": [verdict.pause_seconds for verdict in verdicts.values()],
            "entries": [json.dumps(verdict.outcome.entry()) for verdict in verdicts.values()],
            "kept": KEPT_ATTEMPTS,
        },
    )
    is_well = any(verdict.outcome.succeeded for verdict in verdicts.values())
    await session.execute(_WELL if is_well else _FAILING, {"id": webhook_id})
