"""For an operator: which messages a service has given up, and giving them another chance once their cause is mended."""

import asyncio
import json
import sys
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.database import Database

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
    """`dead` lists them, `dead retry` tries all of them again, `dead retry EVENT_ID…` some."""
    if arguments and arguments[0] != "retry":
        sys.exit(f"usage: python -m stockbuddy.{schema} dead [retry [EVENT_ID…]]")
    asyncio.run(_run(url, schema, arguments))


async def _run(url: str, schema: str, arguments: Sequence[str]) -> None:
    database = Database(url, schema, pool_size=1)
    try:
        async with database.transaction() as session:
            if arguments:
                retried = await retry_dead(session, [UUID(argument) for argument in arguments[1:]])
                sys.stdout.write(f"{retried} will be tried again now\n")
            else:
                sys.stdout.writelines(f"{line}\n" for line in await list_dead(session))
    finally:
        await database.close()


async def list_dead(session: AsyncSession) -> list[str]:
    """A line of JSON for each, oldest first."""
    return [
        json.dumps(
            {
                "group": row.consumer,
                "event_id": row.event_id,
                "type": json.loads(row.message)["type"] if row.message else None,
                "given_up_at": row.updated_at.isoformat(),
                "attempts": row.attempts,
                "error": row.last_error,
            }
        )
        for row in await session.execute(_LIST)
    ]


async def retry_dead(session: AsyncSession, event_ids: Sequence[UUID]) -> int:
    """Those named, or all; a running service takes them within a second. How many there were."""
    found = await session.execute(_RETRY, {"all": not event_ids, "event_ids": list(event_ids)})
    return len(found.all())
