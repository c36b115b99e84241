"""Runs imports beside the requests, one at a time per replica and each by one replica at a time.

A piece of the file and the note that it is done are one transaction: whoever takes over from a runner that died goes
on behind the last piece, and a runner that was taken for dead finds that it no longer holds the job and lets go.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from uuid import uuid4

import structlog
from fastapi import FastAPI

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.imports import queries
from stockbuddy.catalog.imports.model import Job
from stockbuddy.catalog.imports.rows import import_rows
from stockbuddy.catalog.products.queries import driver_of
from stockbuddy.catalog.sheets.reading import Row, read_header, read_rows
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.chassis.messaging.event_context import event_context
from stockbuddy.contracts.catalog import ImportFinished

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
ROWS_AT_A_TIME = 500
READ_AT_A_TIME = 2000
MOST_ATTEMPTS = 5


class LostJob(Exception):
    """Another runner has this import by now."""


async def run_imports(app: FastAPI) -> None:
    """Until cancelled: run what is queued, and what other runners left behind."""
    database: Database = app.state.database
    lease_seconds: float = app.state.settings.import_lease_seconds
    wake: asyncio.Event = app.state.import_queued
    while True:
        wake.clear()
        try:
            ran = await _run_one(database, lease_seconds)
        except Exception as error:
            if not is_connection_error(error):
                raise
            log.warning("imports.database_away", error=repr(error))
            ran = False
        if not ran:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await wake.wait()
            except TimeoutError:
                continue  # Another replica's runner may have died.


async def _run_one(database: Database, lease_seconds: float) -> bool:
    """Claim an import and run it to its end; false when there is none."""
    async with database.transaction() as session:
        job = await queries.claim_job(session, str(uuid4()), lease_seconds)
    if job is None:
        return False
    log.info("import.started", import_id=job.id, attempt=job.attempts)
    with event_context(job.origin):
        try:
            async with _kept(database, job):
                await _run(database, job)
        except LostJob:
            log.warning("import.lost", import_id=job.id)
        except asyncio.CancelledError:
            async with database.transaction() as session:
                await queries.release_job(session, job)
            raise
    return True


@asynccontextmanager
async def _kept(database: Database, job: Job) -> AsyncIterator[None]:
    """Renew the lease while the block runs."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(job.lease_seconds / 3)
            try:
                async with database.transaction() as session:
                    await queries.renew_lease(session, job)
            except Exception as error:
                log.warning("import.lease_not_renewed", import_id=job.id, error=repr(error))

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def _run(database: Database, job: Job) -> None:
    if job.attempts > MOST_ATTEMPTS:
        return await _finish(database, job, "failed", "The import was given up after several attempts.")
    try:
        if job.total is None:
            await _stage(database, job)
        while await _import_some(database, job):
            pass
    except UnreadableFile as error:
        return await _finish(database, job, "failed", error.detail)
    except LostJob:
        raise
    except Exception as error:
        if is_connection_error(error):
            raise
        log.exception("import.failed", import_id=job.id)
        return await _finish(database, job, "failed", "Something went wrong on our side.")
    return await _finish(database, job, "finished", None)


async def _stage(database: Database, job: Job) -> None:
    """Read the whole file into rows, in one transaction: all of them are there, or none."""
    async with database.transaction() as session:
        content = await queries.file_content(session, job)
        driver = await driver_of(session)
        await queries.stage_rows(session, driver, job, _records(job, content))
        if not await queries.hold_job(session, job):
            raise LostJob


async def _records(job: Job, content: bytes) -> AsyncIterator[tuple[int, int, list[str]]]:
    rows = read_rows(content, await asyncio.to_thread(read_header, content))
    while some := await asyncio.to_thread(_take, rows):
        for number, cells in some:
            yield job.id, number, cells


def _take(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, READ_AT_A_TIME))


async def _import_some(database: Database, job: Job) -> bool:
    """Deal with the next rows; false when there are none left."""
    async with database.transaction() as session:
        if not await queries.hold_job(session, job):
            raise LostJob
        rows = await queries.next_rows(session, job, ROWS_AT_A_TIME)
        if not rows:
            return False
        outcome = await import_rows(session, job, [(row.number, row.cells, row.problem) for row in rows])
        outbox.add(session, *outcome.events)
        if not await queries.advance(session, job, rows[-1].number, len(rows), outcome):
            raise LostJob
    return True


async def _finish(database: Database, job: Job, state: str, problem: str | None) -> None:
    async with database.transaction() as session:
        finished = await queries.finish(session, job, state, problem)
        if finished is None:
            raise LostJob
        outbox.add(
            session, ImportFinished(import_id=job.id, dry_run=job.dry_run, problem=problem, **finished._asdict())
        )
    log.info("import.finished", import_id=job.id, **finished._asdict())
