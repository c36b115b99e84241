"""The inbox table: claiming, deferring and retrying messages of one consumer group."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.message import Message

UNCLAIMED = ("retry", "parked")
"""The states in which a message still waits to be handled."""

# The primary key makes a concurrent transaction that claims the same message wait for this one; afterwards it finds
# `done` and claims nothing. A row in `retry` or `parked` may be claimed by the retry worker or by a redelivery.
_CLAIM = text("""
    INSERT INTO inbox AS i (consumer, event_id, status, partition_key)
    SELECT :consumer, e.event_id, 'done', e.key
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:keys AS text[])) AS e(event_id, key)
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET status = 'done', message = NULL, last_error = NULL, updated_at = now()
        WHERE i.status IN ('retry', 'parked')
    RETURNING CAST(event_id AS text)
""")
_RECORD_ATTEMPT = text("""
    INSERT INTO inbox AS i (consumer, event_id, status, partition_key, message, attempts, next_attempt_at)
    VALUES (:consumer, CAST(:event_id AS uuid), 'retry', :partition_key, :message, 1, now() + interval '1 minute')
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET attempts = i.attempts + :increment, next_attempt_at = now() + interval '1 minute', updated_at = now()
    RETURNING status, attempts
""")
_MARK_DEAD = text("""
    UPDATE inbox SET status = 'dead', last_error = :error, updated_at = now()
    WHERE consumer = :consumer AND event_id = CAST(:event_id AS uuid)
""")
PARKED_DAYS = 7
"""How long a message waits for its predecessor: as long as the predecessor's archive is kept."""
_COUNT_ATTEMPTS = text(f"""
    SELECT attempts, created_at < now() - interval '{PARKED_DAYS} days' AS is_old
    FROM inbox WHERE consumer = :consumer AND event_id = CAST(:event_id AS uuid) FOR UPDATE
""")
_DEFER = text("""
    INSERT INTO inbox AS i (consumer, event_id, status, partition_key, message, attempts, next_attempt_at, last_error)
    VALUES (:consumer, CAST(:event_id AS uuid), :status, :partition_key, :message, :attempts,
            now() + make_interval(secs => :delay_seconds), :error)
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET status = excluded.status, message = excluded.message, attempts = excluded.attempts,
            next_attempt_at = excluded.next_attempt_at, last_error = excluded.last_error, updated_at = now()
        WHERE i.status <> 'done'
""")
_WAKE_PARKED = text("""
    UPDATE inbox SET next_attempt_at = now()
    WHERE consumer = :consumer AND status = 'parked' AND partition_key = ANY(:keys)
    RETURNING true
""")
_IS_DUE = "status IN ('retry', 'parked') AND next_attempt_at <= now()"
DUE = f"SELECT FROM inbox WHERE consumer = $1 AND {_IS_DUE}"
# The lease: next_attempt_at moves a minute ahead, so that other replicas skip the row while this one handles it.
# SKIP LOCKED: replicas that poll at the same time lease different rows instead of waiting for each other.
_LEASE_DUE = text(f"""
    UPDATE inbox SET next_attempt_at = now() + interval '1 minute'
    WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM inbox
        WHERE consumer = :consumer AND {_IS_DUE}
        ORDER BY next_attempt_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING message
""")


async def claim(session: AsyncSession, group: str, messages: Sequence[Message]) -> list[Message]:
    """Mark the messages as done in this transaction. Returns those not done before, in order, without duplicates."""
    keys = [message.partition_key for message in messages]
    values = {"consumer": group, "event_ids": [message.id for message in messages], "keys": keys}
    claimed_ids = set(await session.scalars(_CLAIM, values))
    unique = {message.id: message for message in messages}
    return [message for message in unique.values() if message.id in claimed_ids]


async def wake_parked(session: AsyncSession, group: str, messages: Sequence[Message]) -> bool:
    """Make parked messages with the partition keys of `messages` due now. Returns whether there are any."""
    if not messages:
        return False
    values = {"consumer": group, "keys": [message.partition_key for message in messages]}
    return bool((await session.scalars(_WAKE_PARKED, values)).all())


async def record_attempt(session: AsyncSession, group: str, message: Message, *, is_new: bool) -> tuple[str, int]:
    """Count an attempt (if it is new) before it runs. Returns the message's status and its number of attempts."""
    recorded = await session.execute(_RECORD_ATTEMPT, _row(group, message) | {"increment": int(is_new)})
    row = recorded.one()
    return row.status, row.attempts


async def mark_dead(session: AsyncSession, group: str, message: Message, error: str) -> None:
    await session.execute(_MARK_DEAD, {"consumer": group, "event_id": message.id, "error": error})


class FailedAttempts(NamedTuple):
    """`is_old`: the message was first received more than PARKED_DAYS ago."""

    attempts: int = 0
    is_old: bool = False


async def count_attempts(session: AsyncSession, group: str, message: Message) -> FailedAttempts:
    """The attempts so far. Locks the row, so that concurrent replicas count one after the other."""
    row = (await session.execute(_COUNT_ATTEMPTS, {"consumer": group, "event_id": message.id})).one_or_none()
    return FailedAttempts() if row is None else FailedAttempts(*row)


async def defer(
    session: AsyncSession, group: str, message: Message, *, status: str, attempts: int, delay_seconds: float, error: str
) -> None:
    """Store the message with its state after a failed attempt."""
    details = {"status": status, "attempts": attempts, "delay_seconds": delay_seconds, "error": error}
    await session.execute(_DEFER, _row(group, message) | details)


async def lease_due(session: AsyncSession, group: str, limit: int) -> list[Message]:
    """Up to `limit` messages whose next attempt is due, leased for a minute."""
    rows = await session.execute(_LEASE_DUE, {"consumer": group, "batch": limit})
    return [_to_message(row.message) for row in rows]


def _row(group: str, message: Message) -> dict[str, Any]:
    document = {
        "id": message.id,
        "type": message.type,
        "headers": dict(message.headers),
        "body": message.body.decode("utf-8", "replace"),
    }
    return {
        "consumer": group,
        "event_id": message.id,
        "partition_key": message.partition_key,
        "message": json.dumps(document),
    }


def _to_message(document: str) -> Message:
    stored = json.loads(document)
    return Message(stored["id"], stored["type"], stored["headers"], stored["body"].encode())
