"""The statements of imports: jobs and their leases, the rows of their files, and what the rows refer to."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.imports.model import Job, Outcome
from stockbuddy.catalog.wording import LARGEST_ID
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.messaging.event_context import EventContext
from stockbuddy.chassis.http.pagination import PageQuery, encode_cursor

LATEST_FIRST = "id_desc"
COPY_SECONDS = 600
FAILED_AT_A_TIME = 1000

_ADD_JOB = text("""
    INSERT INTO import_job (dry_run, format, file_name, columns, actor_id, actor_name, client_ip, request_id,
        traceparent)
    VALUES (:dry_run, :format, :file_name, :columns, :actor_id, :actor_name, :client_ip, :request_id, :traceparent)
    RETURNING id
""")
_ADD_FILE = text("INSERT INTO import_file (import_id, content) VALUES (:id, :content)")
_SHOWN = """
    SELECT id, state, dry_run, format, file_name, total, done, created, updated, unchanged, failed, problem, actor_id,
        created_at, started_at, finished_at, columns,
        CASE WHEN failed > 0 THEN '/api/v1/imports/' || id || '/errors' END AS errors_url
    FROM import_job
"""
_ONE = text(f"{_SHOWN} WHERE id = :id")
_LATEST = text(f"{_SHOWN} WHERE id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset")
_COUNT = text("SELECT count(*) FROM import_job")
_CLAIM = text("""
    UPDATE import_job SET state = 'running', runner = CAST(:runner AS uuid), attempts = attempts + 1,
        lease_until = now() + make_interval(secs => :lease_seconds), started_at = coalesce(started_at, now())
    WHERE id = (
        SELECT id FROM import_job WHERE state = 'queued' OR state = 'running' AND lease_until < now()
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, CAST(runner AS text) AS runner, dry_run, columns, total, attempts, actor_id,
        actor_name, client_ip, request_id, traceparent
""")
_RENEW = text("""
    UPDATE import_job SET lease_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running' RETURNING true
""")
_RELEASE = text("""
    UPDATE import_job SET state = 'queued', runner = NULL, lease_until = NULL, attempts = attempts - 1
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running'
""")
_FILE = text("SELECT content FROM import_file WHERE import_id = :id")
_HOLD = text("""
    SELECT true FROM import_job WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running' FOR UPDATE
""")
_STAGED = (
    text("UPDATE import_job SET total = (SELECT count(*) FROM import_row WHERE import_id = :id) WHERE id = :id"),
    text("DELETE FROM import_file WHERE import_id = :id"),
)
# The first row with a SKU or barcode counts. Found here, a dry run finds it, too.
_MARK_REPEATED = text("""
    WITH own AS MATERIALIZED (
        SELECT number, CASE CAST(:column AS text) WHEN 'sku' THEN lower(code) ELSE code END AS code
        FROM import_row, regexp_split_to_table(cells[:place], CAST(:separator AS text)) code
        WHERE import_id = :id AND code <> ''
    ), first AS (SELECT code, min(number) AS number FROM own GROUP BY code HAVING count(*) > 1)
    UPDATE import_row r SET problem = CAST(:column AS text) || ': stands in row ' || first.number || ' already'
    FROM own JOIN first ON first.code = own.code
    WHERE r.import_id = :id AND r.number = own.number AND own.number > first.number
""")
_NEXT_ROWS = text("""
    SELECT number, cells, problem FROM import_row
    WHERE import_id = :id AND number > (SELECT reached FROM import_job WHERE id = :id) ORDER BY number LIMIT :limit
""")
_WRITE_PROBLEMS = text("""
    UPDATE import_row r SET problem = p.problem
    FROM unnest(CAST(:numbers AS integer[]), CAST(:problems AS text[])) p(number, problem)
    WHERE r.import_id = :id AND r.number = p.number
""")
_ADVANCE = text("""
    UPDATE import_job SET reached = :reached, done = done + :done, created = created + :created,
        updated = updated + :updated, unchanged = unchanged + :unchanged, failed = failed + :failed,
        attempts = 1, lease_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running' RETURNING true
""")
_FINISH = text("""
    UPDATE import_job SET state = :state, problem = :problem, runner = NULL, lease_until = NULL, finished_at = now()
    WHERE id = :id AND runner = CAST(:runner AS uuid) AND state = 'running'
    RETURNING state, total, created, updated, unchanged, failed
""")
_FORGET_ROWS = (
    text("DELETE FROM import_row WHERE import_id = :id AND problem IS NULL"),
    text("DELETE FROM import_file WHERE import_id = :id"),
)
_FAILED_ROWS = text("""
    SELECT number, cells, problem FROM import_row
    WHERE import_id = :id AND problem IS NOT NULL AND number > :after ORDER BY number LIMIT :limit
""")
_PRODUCTS_BY_SKU = text("""
    SELECT g.sku, p.id FROM unnest(CAST(:skus AS text[])) g(sku)
    JOIN product p ON lower(p.sku) = lower(g.sku) AND p.deleted_at IS NULL
""")
_CLAIMS = text("SELECT code, product_id FROM barcode WHERE code = ANY(CAST(:codes AS text[]))")
_SUPPLIERS = text("""
    SELECT g.name, s.id FROM unnest(CAST(:names AS text[])) g(name)
    JOIN supplier s ON s.deleted_at IS NULL AND (lower(s.name) COLLATE "C" = lower(g.name) COLLATE "C"
        OR g.name = '#' || s.id)
    ORDER BY s.id FOR KEY SHARE OF s
""")
_CATEGORY_NAMES = text("SELECT id, name FROM category WHERE id = ANY(CAST(:ids AS bigint[]))")


async def add_job(session: AsyncSession, values: dict[str, Any], content: bytes) -> int:
    job_id: int = await session.scalar(_ADD_JOB, values)
    await session.execute(_ADD_FILE, {"id": job_id, "content": content})
    return job_id


async def shown_import(session: AsyncSession, import_id: int) -> Row[Any] | None:
    return (await session.execute(_ONE, {"id": import_id})).one_or_none()


async def latest_imports(session: AsyncSession, paging: PageQuery) -> tuple[Sequence[Row[Any]], int, str | None]:
    """A page of imports, how many there are, and the cursor behind the page."""
    after = paging.after(LATEST_FIRST, int)
    before, offset = (LARGEST_ID, paging.offset) if after is None else (after[0], 0)
    values = {"before": before, "offset": offset, "limit": paging.page_size + 1}
    found = (await session.execute(_LATEST, values)).all()
    page = found[: paging.page_size]
    cursor = encode_cursor(LATEST_FIRST, [page[-1].id]) if len(found) > len(page) else None
    return page, await session.scalar(_COUNT) or 0, cursor


async def claim_job(session: AsyncSession, runner: str, lease_seconds: float) -> Job | None:
    """The oldest import that waits for a runner or whose runner has not been heard of for too long."""
    row = (await session.execute(_CLAIM, {"runner": runner, "lease_seconds": lease_seconds})).one_or_none()
    if row is None:
        return None
    origin = EventContext(row.actor_id, row.actor_name, row.client_ip, row.request_id, row.traceparent)
    return Job(
        row.id, row.runner, row.dry_run, row.columns, row.total, row.attempts, lease_seconds, row.actor_id, origin
    )


async def renew_lease(session: AsyncSession, job: Job) -> bool:
    """False when another runner has the job by now."""
    return bool(await session.scalar(_RENEW, {"id": job.id, "runner": job.runner, "lease_seconds": job.lease_seconds}))


async def release_job(session: AsyncSession, job: Job) -> None:
    """Let any runner have it, at once."""
    await session.execute(_RELEASE, {"id": job.id, "runner": job.runner})


async def hold_job(session: AsyncSession, job: Job) -> bool:
    """Whether the job is still ours; then it stays so until the end of the transaction."""
    return bool(await session.scalar(_HOLD, {"id": job.id, "runner": job.runner}))


async def file_content(session: AsyncSession, job: Job) -> bytes:
    content: bytes = (await session.execute(_FILE, {"id": job.id})).scalar_one()
    return content


async def stage_rows(
    session: AsyncSession, driver: asyncpg.Connection, job: Job, records: AsyncIterator[tuple[int, int, list[str]]]
) -> None:
    """Write the file's rows and let go of the file."""
    await driver.copy_records_to_table(
        "import_row", records=records, columns=["import_id", "number", "cells"], timeout=COPY_SECONDS
    )
    for column, separator in (("sku", "$^"), ("barcodes", r"\s+")):
        if column in job.columns:
            place = job.columns.index(column) + 1
            await session.execute(
                _MARK_REPEATED, {"id": job.id, "column": column, "place": place, "separator": separator}
            )
    for statement in _STAGED:
        await session.execute(statement, {"id": job.id})


async def next_rows(session: AsyncSession, job: Job, limit: int) -> Sequence[Row[tuple[int, list[str], str | None]]]:
    return (await session.execute(_NEXT_ROWS, {"id": job.id, "limit": limit})).all()


async def advance(session: AsyncSession, job: Job, reached: int, done: int, outcome: Outcome) -> bool:
    """Note what became of the rows up to `reached`; false when another runner has the job by now."""
    if outcome.problems:
        await session.execute(
            _WRITE_PROBLEMS,
            {"id": job.id, "numbers": list(outcome.problems), "problems": list(outcome.problems.values())},
        )
    values = {
        "id": job.id,
        "runner": job.runner,
        "lease_seconds": job.lease_seconds,
        "reached": reached,
        "done": done,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "failed": len(outcome.problems),
    }
    return bool(await session.scalar(_ADVANCE, values))


async def finish(session: AsyncSession, job: Job, state: str, problem: str | None) -> Row[Any] | None:
    """The final counts; the rows that failed are kept. None when another runner has the job by now."""
    values = {"id": job.id, "runner": job.runner, "state": state, "problem": problem}
    finished = (await session.execute(_FINISH, values)).one_or_none()
    if finished is not None:
        for statement in _FORGET_ROWS:
            await session.execute(statement, {"id": job.id})
    return finished


async def failed_rows(database: Database, import_id: int) -> AsyncIterator[Sequence[Row[tuple[int, list[str], str]]]]:
    after = 0
    while True:
        async with database.reading() as session:
            values = {"id": import_id, "after": after, "limit": FAILED_AT_A_TIME}
            rows = (await session.execute(_FAILED_ROWS, values)).all()
        if rows:
            yield rows
            after = rows[-1].number
        if len(rows) < FAILED_AT_A_TIME:
            return


async def products_by_sku(session: AsyncSession, skus: Sequence[str]) -> dict[str, int]:
    """Ids of living products by the SKU as it was given."""
    return {row.sku: row.id for row in await session.execute(_PRODUCTS_BY_SKU, {"skus": list(skus)})}


async def barcode_claims(session: AsyncSession, codes: Sequence[str]) -> dict[str, int]:
    """Whose these barcodes are, as far as they are somebody's."""
    return {row.code: row.product_id for row in await session.execute(_CLAIMS, {"codes": list(codes)})}


async def suppliers_named(session: AsyncSession, names: Sequence[str]) -> dict[str, list[int]]:
    """Ids of the living suppliers of each name, or of the number in `#12`; they are locked against deletion."""
    found: dict[str, list[int]] = {}
    for row in await session.execute(_SUPPLIERS, {"names": list(names)}):
        found.setdefault(row.name, []).append(row.id)
    return found


async def category_names(session: AsyncSession, ids: Sequence[int | None]) -> dict[int, str]:
    known = [category_id for category_id in set(ids) if category_id is not None]
    return {row.id: row.name for row in await session.execute(_CATEGORY_NAMES, {"ids": known})} if known else {}
