"""Moves former periods of the event log to files, the oldest first.

A period is dropped in one transaction, after its file was read again and every hash in it confirmed. A command that is
interrupted before has changed nothing; the next one writes the file again.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database, driver_connection
from stockbuddy.chassis.postgres.maintenance import repeat_until_locked
from stockbuddy.contracts.notifications import EntriesArchived
from stockbuddy.notifications.archive import queries
from stockbuddy.notifications.archive.errors import ArchiveFailed
from stockbuddy.notifications.archive.files import digest_file, verify_file, write_lines
from stockbuddy.notifications.archive.queries import Period
from stockbuddy.notifications.audit.export import to_chain_line
from stockbuddy.notifications.audit.queries import CHAIN_ROWS
from stockbuddy.notifications.event_log.archive_queries import ChainStart, read_chain_start

BATCH_SIZE = 1000


async def archive_log(
    database: Database, directory: Path, until: datetime, *, publishes: bool
) -> AsyncIterator[tuple[Period, Path]]:
    """Archive every former period that ended before `until`; yields each with its file. `database`: as the owner of the
    tables. `publishes`: see `find_obstacle`. Raises ArchiveFailed, OSError."""
    while True:
        async with database.raw() as connection:
            start = await read_chain_start(connection)
            await queries.delete_words(connection, start.position)
            period = next(iter(await queries.list_former_periods(connection)), None)
            if period is None or period.ended_at >= until:
                return
            if obstacle := await queries.find_obstacle(connection, period, publishes=publishes):
                raise ArchiveFailed(f"Entries {period.first} to {period.last} can't be archived: {obstacle}.")
            path = directory / f"event-log-{period.first:012}-{period.last:012}.jsonl.gz"
            await write_lines(path, _read_lines(connection, period))
        yield period, await _replace(database, period, start, path)


async def _read_lines(connection: asyncpg.Connection, period: Period) -> AsyncIterator[Sequence[str]]:
    position = period.first - 1
    while rows := await connection.fetch(CHAIN_ROWS, position, period.last, BATCH_SIZE):
        yield [to_chain_line(row) for row in rows]
        position = rows[-1]["position"]


async def _replace(database: Database, period: Period, start: ChainStart, path: Path) -> Path:
    end = verify_file(path, start)
    if end.position != period.last:
        raise ArchiveFailed(f"Entries after {end.position} are missing: GET /api/v1/audit-logs/verify.")
    drop = partial(_drop, period=period, start=start, end=end, file=path.name, sha256=digest_file(path))
    if not await repeat_until_locked(database, drop):
        raise ArchiveFailed(f"{path.name} is complete, but the log is being read all the time: repeat the command.")
    return path


async def _drop(
    session: AsyncSession, *, period: Period, start: ChainStart, end: ChainStart, file: str, sha256: str
) -> None:
    await queries.lock_archive(session)
    if await read_chain_start(await driver_connection(session)) != start:
        raise ArchiveFailed("Another command has archived the same entries.")
    await queries.replace_by_archive(session, period, end, file, sha256)
    outbox.add(
        session,
        EntriesArchived(first=period.first, last=end.position, hash=end.hash.hex(), file=file, sha256=sha256),
    )
