"""Operator CLI: list dead-lettered messages and requeue them after the cause is fixed."""

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
    """One JSON line per message, oldest first."""
    return [
        json.dumps(
            {
                "group": row.consumer,
                "event_id": row.event_id,
                "type": json.loads(row.message)["type"] if row.message else None,
                "failed_at": row.updated_at.isoformat(),
                "attempts": row.attempts,
                "error": row.last_error,
            }
        )
        for row in await session.execute(_LIST)
    ]


async def retry_dead_letters(session: AsyncSession, event_ids: Sequence[UUID]) -> int:
    """Requeue the named messages, or all; running replicas retry them within a second. Returns their number."""
    found = await session.execute(_RETRY, {"all": not event_ids, "event_ids": list(event_ids)})
    return len(found.all())
