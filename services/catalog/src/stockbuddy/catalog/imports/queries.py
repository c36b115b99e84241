"""The statements of import jobs: jobs with their leases, and the rows of their files."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import UnknownImport
from stockbuddy.catalog.imports.model import ImportJob, ImportResult
from stockbuddy.catalog.imports.options import ImportOptions
from stockbuddy.chassis.fields import MAX_ID
from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, encode_cursor
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.event_context import EventContext

NEWEST_FIRST = "id_desc"
COPY_TIMEOUT_SECONDS = 600
"""Longer than for other statements: a COPY writes all rows of a file."""
FAILED_ROWS_BATCH_SIZE = 1000

_INSERT_JOB = text("""
    INSERT INTO import_job (dry_run, format, file_name, columns, options, system, mapping, actor_id, actor_name,
        warehouse_ids, client_ip, request_id, traceparent)
    VALUES (:dry_run, :format, :file_name, :columns, CAST(:options AS jsonb), :system, CAST(:mapping AS jsonb),
        :actor_id, :actor_name, CAST(:warehouse_ids AS bigint[]), :client_ip, :request_id, :traceparent)
    RETURNING id
""")
_INSERT_FILE = text("INSERT INTO import_file (import_id, content) VALUES (:id, :content)")
_RESPONSE = """
    SELECT id, state, dry_run, format, file_name, coalesce(system, 'stockbuddy') AS system, coalesce(mapping, '[]')
            AS mapping, total, done, created, updated, unchanged, failed, skipped, problem, actor_id, created_at,
        started_at, finished_at, columns,
        CASE WHEN failed > 0 THEN '/api/v1/imports/' || id || '/errors' END AS errors_url
    FROM import_job
"""
_BY_ID = text(f"{_RESPONSE} WHERE id = :id")
_NEWEST = text(f"{_RESPONSE} WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset")
_COUNT = text("SELECT count(*) FROM import_job")
_CLAIMED = """
    RETURNING id, CAST(runner AS text) AS runner, dry_run, columns, options, total, attempts, actor_id,
        actor_name, warehouse_ids, client_ip, request_id, traceparent
"""
_CLAIM_BY_ID = text(f"UPDATE import_job SET state = 'running', runner = gen_random_uuid() WHERE id = :id {_CLAIMED}")
_IS_CLAIMABLE = "(state = 'queued' OR state = 'running' AND lease_until < now())"
CLAIMABLE = f"SELECT FROM import_job WHERE {_IS_CLAIMABLE}"
# SKIP LOCKED: replicas that look for work at the same time claim different jobs instead of waiting for each other.
_CLAIM = text(
    f"""
    UPDATE import_job SET state = 'running', runner = CAST(:runner AS uuid), attempts = attempts + 1,
        lease_until = now() + make_interval(secs => :lease_seconds), started_at = coalesce(started_at, now())
    WHERE id = (
        SELECT id FROM import_job WHERE {_IS_CLAIMABLE}
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
"""
    + _CLAIMED
)
_RENEW = text("""
    UPDATE import_job SET lease_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running'
""")
_RELEASE = text("""
    UPDATE import_job SET state = 'queued', runner = NULL, lease_until = NULL, attempts = attempts - 1
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running'
""")
_FILE = text("SELECT content FROM import_file WHERE import_id = :id")
_LOCK = text("""
    SELECT true FROM import_job WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running' FOR UPDATE
""")
_FINISH_STAGING = (
    text("UPDATE import_job SET total = (SELECT count(*) FROM import_row WHERE import_id = :id) WHERE id = :id"),
    text("DELETE FROM import_file WHERE import_id = :id"),
)
# The first row with a SKU or barcode is imported. Duplicates are found here so that a dry run reports them, too.
_MARK_DUPLICATES = text("""
    WITH own AS MATERIALIZED (
        SELECT number, CASE CAST(:column AS text) WHEN 'sku' THEN lower(code) ELSE barcode_key(code) END AS code
        FROM import_row, regexp_split_to_table(cells[:position], CAST(:separator AS text)) code
        WHERE import_id = :id AND problem IS NULL AND code <> ''
    ), first AS (SELECT code, min(number) AS number FROM own GROUP BY code HAVING count(*) > 1)
    UPDATE import_row r SET problem = CAST(:column AS text) || ': duplicate of row ' || first.number
    FROM own JOIN first ON first.code = own.code
    WHERE r.import_id = :id AND r.number = own.number AND own.number > first.number
""")
# In one row, two spellings of a barcode have equal keys.
_MARK_EQUAL_BARCODES = text(r"""
    UPDATE import_row SET problem = 'barcodes: contains a barcode twice' WHERE import_id = :id AND problem IS NULL
    AND (SELECT count(DISTINCT barcode_key(code)) < count(*)
         FROM regexp_split_to_table(cells[:position], '\s+') code WHERE code <> '')
""")
_HAS_WAITING_EVENTS = text("SELECT coalesce(sum(events), 0) > :count FROM outbox_chunk WHERE sent_at IS NULL")
_UPDATE_SKIPPED = text("UPDATE import_job SET skipped = :skipped WHERE id = :id")
_NEXT_ROWS = text("""
    SELECT number, cells, problem FROM import_row
    WHERE import_id = :id AND number > (SELECT reached FROM import_job WHERE id = :id) ORDER BY number LIMIT :limit
""")
_UPDATE_PROBLEMS = text("""
    UPDATE import_row r SET problem = p.problem
    FROM unnest(CAST(:numbers AS integer[]), CAST(:problems AS text[])) p(number, problem)
    WHERE r.import_id = :id AND r.number = p.number
""")
_ADVANCE = text("""
    UPDATE import_job SET reached = :reached, done = done + :done, created = created + :created,
        updated = updated + :updated, unchanged = unchanged + :unchanged, failed = failed + :failed,
        attempts = 1, lease_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = :id
""")
_FINISH = text("""
    UPDATE import_job SET state = :state, problem = :problem, runner = NULL, lease_until = NULL, finished_at = now()
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running'
    RETURNING state, total, created, updated, unchanged, failed
""")
_DELETE_FINISHED_ROWS = (
    text("DELETE FROM import_row WHERE import_id = :id AND problem IS NULL"),
    text("DELETE FROM import_file WHERE import_id = :id"),
)
_FAILED_ROWS = text("""
    SELECT number, cells, problem FROM import_row
    WHERE import_id = :id AND problem IS NOT NULL AND number > :after ORDER BY number LIMIT :limit
""")


class LeaseLost(Exception):
    """Another runner has this import job, because its lease had expired."""


async def insert_job(session: AsyncSession, values: dict[str, Any], content: bytes) -> int:
    job_id: int = await session.scalar(_INSERT_JOB, values)
    await session.execute(_INSERT_FILE, {"id": job_id, "content": content})
    return job_id


async def insert_claimed_job(session: AsyncSession, values: dict[str, Any]) -> ImportJob:
    """A job without a file that this process runs at once, for a transaction that is rolled back."""
    job_id: int = await session.scalar(_INSERT_JOB, values)
    row = (await session.execute(_CLAIM_BY_ID, {"id": job_id})).one()
    return _to_job(row, lease_seconds=0)


async def get_import(session: AsyncSession, import_id: int) -> Row[Any]:
    """The fields of `ImportResponse`, and the columns of the file. Raises UnknownImport."""
    row = (await session.execute(_BY_ID, {"id": import_id})).one_or_none()
    if row is None:
        raise UnknownImport()
    return row


async def list_imports(session: AsyncSession, query: PageQuery) -> PageSlice[Row[Any]]:
    position = query.position(NEWEST_FIRST, int)
    before, offset = (MAX_ID, query.offset) if position is None else (position[0], 0)
    values = {"before": before, "offset": offset, "limit": query.page_size + 1}
    rows = (await session.execute(_NEWEST, values)).all()
    page = rows[: query.page_size]
    cursor = encode_cursor(NEWEST_FIRST, [page[-1].id]) if len(rows) > len(page) else None
    return PageSlice(page, await session.scalar(_COUNT) or 0, cursor)


async def claim_job(session: AsyncSession, runner: str, lease_seconds: float) -> ImportJob | None:
    """Lease the oldest job that is queued or whose lease has expired."""
    row = (await session.execute(_CLAIM, {"runner": runner, "lease_seconds": lease_seconds})).one_or_none()
    return None if row is None else _to_job(row, lease_seconds)


def _to_job(row: Row[Any], lease_seconds: float) -> ImportJob:
    return ImportJob(
        id=row.id,
        runner=row.runner,
        dry_run=row.dry_run,
        columns=row.columns,
        options=ImportOptions.model_validate(row.options or {}),
        total=row.total,
        attempts=row.attempts,
        lease_seconds=lease_seconds,
        actor_id=row.actor_id,
        warehouse_ids=None if row.warehouse_ids is None else frozenset(row.warehouse_ids),
        context=EventContext(row.actor_id, row.actor_name, row.client_ip, row.request_id, row.traceparent),
    )


async def renew_lease(session: AsyncSession, job: ImportJob) -> None:
    await session.execute(_RENEW, {"id": job.id, "runner": job.runner, "lease_seconds": job.lease_seconds})


async def release_job(session: AsyncSession, job: ImportJob) -> None:
    """Return the job to the queue; the attempt is not counted."""
    await session.execute(_RELEASE, {"id": job.id, "runner": job.runner})


async def lock_job(session: AsyncSession, job: ImportJob) -> None:
    """Lock the job, so that no other runner can claim it before the transaction ends. Raises LeaseLost."""
    if not await session.scalar(_LOCK, {"id": job.id, "runner": job.runner}):
        raise LeaseLost


async def get_file(session: AsyncSession, job: ImportJob) -> bytes:
    content: bytes = (await session.execute(_FILE, {"id": job.id})).scalar_one()
    return content


async def stage_rows(
    session: AsyncSession,
    driver: asyncpg.Connection,
    job: ImportJob,
    rows: AsyncIterator[tuple[int, int, list[str], str | None]],
) -> None:
    """Insert the file's rows, mark duplicates, and delete the file."""
    await driver.copy_records_to_table(
        "import_row", records=rows, columns=["import_id", "number", "cells", "problem"], timeout=COPY_TIMEOUT_SECONDS
    )
    if "barcodes" in job.columns:
        await session.execute(_MARK_EQUAL_BARCODES, {"id": job.id, "position": job.columns.index("barcodes") + 1})
    for column, separator in (("sku", "$^"), ("barcodes", r"\s+")):
        if column in job.columns:
            position = job.columns.index(column) + 1
            await session.execute(
                _MARK_DUPLICATES, {"id": job.id, "column": column, "position": position, "separator": separator}
            )
    for statement in _FINISH_STAGING:
        await session.execute(statement, {"id": job.id})


async def update_skipped(session: AsyncSession, job: ImportJob, skipped: int) -> None:
    """Record the number of rows that hold no product."""
    await session.execute(_UPDATE_SKIPPED, {"id": job.id, "skipped": skipped})


async def has_waiting_events(session: AsyncSession, count: int) -> bool:
    """True if more than `count` events of this service are still to be published."""
    return bool(await session.scalar(_HAS_WAITING_EVENTS, {"count": count}))


async def next_rows(
    session: AsyncSession, job: ImportJob, limit: int
) -> Sequence[Row[tuple[int, list[str], str | None]]]:
    return (await session.execute(_NEXT_ROWS, {"id": job.id, "limit": limit})).all()


async def advance(session: AsyncSession, job: ImportJob, reached: int, done: int, result: ImportResult) -> None:
    """Record the result of `done` rows up to the row `reached`. The job must be locked."""
    if result.problems:
        problems = {"numbers": list(result.problems), "problems": list(result.problems.values())}
        await session.execute(_UPDATE_PROBLEMS, {"id": job.id, **problems})
    values = {
        "id": job.id,
        "lease_seconds": job.lease_seconds,
        "reached": reached,
        "done": done,
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "failed": len(result.problems),
    }
    await session.execute(_ADVANCE, values)


async def finish(session: AsyncSession, job: ImportJob, state: str, problem: str | None) -> dict[str, Any]:
    """End the job and delete its rows, except the failed ones; returns the final state and counts. Raises LeaseLost."""
    values = {"id": job.id, "runner": job.runner, "state": state, "problem": problem}
    finished = (await session.execute(_FINISH, values)).one_or_none()
    if finished is None:
        raise LeaseLost
    for statement in _DELETE_FINISHED_ROWS:
        await session.execute(statement, {"id": job.id})
    return finished._asdict()


async def read_failed_rows(
    database: Database, import_id: int
) -> AsyncIterator[Sequence[Row[tuple[int, list[str], str]]]]:
    """In batches, each in its own short read."""
    after = 0
    while True:
        async with database.reading() as session:
            values = {"id": import_id, "after": after, "limit": FAILED_ROWS_BATCH_SIZE}
            rows = (await session.execute(_FAILED_ROWS, values)).all()
        if rows:
            yield rows
            after = rows[-1].number
        if len(rows) < FAILED_ROWS_BATCH_SIZE:
            return
