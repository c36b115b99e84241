"""Operator CLI: lists dead messages of the inbox and dead events of the outbox, and requeues them."""

import asyncio
import json
import sys
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database

_LIST = text("""
    SELECT consumer, CAST(event_id AS text) AS event_id, attempts, updated_at, last_error, message
    FROM inbox WHERE status = 'dead' ORDER BY updated_at, event_id
""")
_RETRY = text("""
    UPDATE inbox SET status = 'retry', attempts = 0, next_attempt_at = now(), updated_at = now()
    WHERE status = 'dead' AND (:all OR event_id = ANY(CAST(:event_ids AS uuid[])))
    RETURNING 1
""")
_LIST_EVENTS = text("""
    SELECT CAST(event_id AS text) AS event_id, routing_key, failed_at, error FROM outbox_dead
    ORDER BY failed_at, event_id
""")
_RETRY_EVENTS = text("""
    WITH retried AS (DELETE FROM outbox_dead WHERE :all OR event_id = ANY(CAST(:event_ids AS uuid[]))
                     RETURNING shard, routing_key, headers, payload, created_at)
    INSERT INTO outbox_chunk (shard, events, types, body, created_at)
    SELECT shard, 1, routing_key,
           '[' || left(CAST(headers AS text), -1) || ', "data": ' || CAST(payload AS text) || '}]', created_at
    FROM retried RETURNING 1
""")
OUTBOX = "outbox"
"""In place of a consumer group: the event was never published."""


def run_command(url: str, schema: str, arguments: Sequence[str]) -> None:
    """Run `list`, `retry` (all) or `retry EVENT_ID…`."""
    if list(arguments) != ["list"] and list(arguments[:1]) != ["retry"]:
        sys.exit(f"usage: python -m stockbuddy.{schema} dead-letters list | retry [EVENT_ID…]")
    asyncio.run(_run(url, schema, arguments))


async def _run(url: str, schema: str, arguments: Sequence[str]) -> None:
    database = Database(url, schema, pool_size=1)
    try:
        async with database.transaction() as session:
            if arguments[0] == "retry":
                count = await retry_dead_letters(session, [UUID(argument) for argument in arguments[1:]])
                sys.stdout.write(f"{count} messages requeued\n")
            else:
                sys.stdout.writelines(f"{line}\n" for line in await list_dead_letters(session))
    finally:
        await database.close()


async def list_dead_letters(session: AsyncSession) -> list[str]:
    """One JSON line per message or event, oldest first."""
    messages = [
        {
            "group": row.consumer,
            "event_id": row.event_id,
            "type": json.loads(row.message)["type"] if row.message else None,
            "failed_at": row.updated_at.isoformat(),
            "attempts": row.attempts,
            "error": row.last_error,
        }
        for row in await session.execute(_LIST)
    ]
    events = [
        {
            "group": OUTBOX,
            "event_id": row.event_id,
            "type": row.routing_key,
            "failed_at": row.failed_at.isoformat(),
            "attempts": 1,
            "error": row.error,
        }
        for row in await session.execute(_LIST_EVENTS)
    ]
    return [json.dumps(letter) for letter in sorted(messages + events, key=lambda letter: letter["failed_at"])]


async def retry_dead_letters(session: AsyncSession, event_ids: Sequence[UUID]) -> int:
    """Requeue the named messages and events, or all; running replicas retry them within a second. Returns their
    number."""
    selected = {"all": not event_ids, "event_ids": list(event_ids)}
    return sum([len((await session.execute(retry, selected)).all()) for retry in (_RETRY, _RETRY_EVENTS)])
