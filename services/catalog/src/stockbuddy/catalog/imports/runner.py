"""Runs import jobs, a few at a time per replica; a lease keeps each job to one worker.

A batch of rows and the job's progress commit in one transaction. A worker that claims an expired lease continues after
the last batch; the worker that lost the lease notices it before its next commit and stops.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.imports import lookups, queries
from stockbuddy.catalog.imports.import_rows import import_rows
from stockbuddy.catalog.imports.model import ImportJob
from stockbuddy.catalog.imports.product_file import ProductFile, open_products
from stockbuddy.catalog.imports.queries import LeaseLost
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database, driver_in_transaction
from stockbuddy.chassis.runtime.background import GrowingInterval, PollingWorker, renewed_lease
from stockbuddy.chassis.runtime.event_context import event_context
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.contracts.catalog import ImportFinished

log = structlog.get_logger(__name__)

IMPORT_QUEUED = "import.queued"
"""The commit signal of new import jobs."""

POLL_INTERVAL_SECONDS = 1.0
MAX_POLL_INTERVAL_SECONDS = 5.0
CONCURRENT_JOBS = 2
"""More than one, so that a file that takes long to read delays no other import."""
BATCH_SIZE = 500
MAX_ATTEMPTS = 5
MAX_WAITING_EVENTS = 100
RELAY_WAIT_SECONDS = 0.02


def import_workers(database: Database, lease_seconds: float) -> list[PollingWorker]:
    work = partial(run_next_job, database, lease_seconds)
    is_due = partial(database.exists, queries.CLAIMABLE)
    workers = [
        PollingWorker(
            f"imports-{number}",
            work,
            interval_seconds=GrowingInterval(POLL_INTERVAL_SECONDS, MAX_POLL_INTERVAL_SECONDS),
            is_due=is_due,
        )
        for number in range(1, CONCURRENT_JOBS + 1)
    ]
    for worker in workers:
        database.on_commit(IMPORT_QUEUED, worker.wake)
    return workers


async def run_next_job(database: Database, lease_seconds: float) -> bool:
    """Claim a job and run it to its end. False if there is none."""
    async with database.transaction() as session:
        job = await queries.claim_job(session, str(uuid4()), lease_seconds)
    if job is None:
        return False
    log.info("import.started", import_id=job.id, attempt=job.attempts)
    with event_context(job.context):
        try:
            async with renewed_lease(lease_seconds, partial(_renew_lease, database, job)):
                await _run(database, job)
        except LeaseLost:
            log.warning("import.lease_lost", import_id=job.id)
        except asyncio.CancelledError:
            # Shutting down: release the lease, so that another replica need not wait until it expires.
            async with database.transaction() as session:
                await queries.release_job(session, job)
            raise
    return True


async def _renew_lease(database: Database, job: ImportJob) -> None:
    async with database.transaction() as session:
        await queries.renew_lease(session, job)


async def _run(database: Database, job: ImportJob) -> None:
    if job.attempts > MAX_ATTEMPTS:
        return await _finish(database, job, "failed", f"The import was stopped after {MAX_ATTEMPTS} attempts.")
    try:
        if job.total is None:
            await _stage(database, job)
        while await _import_batch(database, job):
            pass
    except UnreadableFile as error:
        return await _finish(database, job, "failed", error.detail)
    except LeaseLost:
        raise
    except Exception as error:
        if is_environment_fault(error):
            raise
        log.exception("import.failed", import_id=job.id)
        return await _finish(database, job, "failed", "Internal error.")
    return await _finish(database, job, "finished", None)


async def _stage(database: Database, job: ImportJob) -> None:
    """Read the whole file into rows in one transaction, so that a damaged file changes nothing."""
    async with database.reading() as session:
        content = await queries.get_file(session, job)
        find_products = partial(lookups.find_external_products, session)
        async with open_products(content, job.options, find_products) as file, database.transaction() as writing:
            await stage_products(writing, job, file)
            await queries.lock_job(writing, job)


async def stage_products(session: AsyncSession, job: ImportJob, file: ProductFile) -> None:
    """Insert the rows of the file, and mark those that repeat a SKU or barcode."""
    await queries.stage_rows(session, await driver_in_transaction(session), job, _read_rows(job, file))
    await queries.update_skipped(session, job, file.rows.skipped)


async def _read_rows(job: ImportJob, file: ProductFile) -> AsyncIterator[tuple[int, int, list[str], str | None]]:
    """The columns `import_id`, `number`, `cells` and `problem` of each row."""
    async for batch in file.read():
        for row in batch:
            cells, problem = row.cells, row.problem
            # PostgreSQL's text holds every character but NUL.
            if any("\0" in cell for cell in cells):
                cells, problem = [cell.replace("\0", "\ufffd") for cell in cells], "contains a NUL character"
            yield job.id, row.number, cells, problem


async def _import_batch(database: Database, job: ImportJob) -> bool:
    """Import the next rows. False if there are none left."""
    if await _is_relay_behind(database):
        await asyncio.sleep(RELAY_WAIT_SECONDS)
        return True
    async with database.transaction() as session:
        await queries.lock_job(session, job)
        rows = await queries.next_rows(session, job, BATCH_SIZE)
        if not rows:
            return False
        result = await import_rows(session, job, [(row.number, row.cells, row.problem) for row in rows])
        outbox.add(session, *result.events)
        await queries.advance(session, job, rows[-1].number, len(rows), result)
    return True


async def _is_relay_behind(database: Database) -> bool:
    """True while many events wait: the events of interactive requests must not queue up behind those of an import."""
    async with database.reading() as session:
        return await queries.has_waiting_events(session, MAX_WAITING_EVENTS)


async def _finish(database: Database, job: ImportJob, state: str, problem: str | None) -> None:
    async with database.transaction() as session:
        finished = await queries.finish(session, job, state, problem)
        outbox.add(session, ImportFinished(import_id=job.id, dry_run=job.dry_run, problem=problem, **finished))
    log.info("import.finished", import_id=job.id, **finished)
