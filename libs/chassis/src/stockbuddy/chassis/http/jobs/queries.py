"""The statements of jobs: requests with their leases, and results in parts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.fields import MAX_ID
from stockbuddy.chassis.http.jobs.model import (
    JOB_QUEUED,
    MAX_KEPT_JOBS,
    MAX_OPEN_JOBS,
    RESULT_TTL_SECONDS,
    Job,
    LeaseLost,
    TooManyJobs,
    UnknownJob,
)
from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, encode_cursor
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.runtime.event_context import EventContext

NEWEST_FIRST = "id_desc"
_PRINCIPAL = TypeAdapter(Principal)
_TTL = f"now() + make_interval(secs => {RESULT_TTL_SECONDS})"

# The count of a caller's jobs must not change before the insert: concurrent requests of one caller wait for each other.
_LOCK_CALLER = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' jobs ' || CAST(:credential AS text), 0))"
)
_COUNT = text("""
    SELECT count(*) FILTER (WHERE state IN ('queued', 'running')) AS open, count(*) AS kept FROM job
    WHERE credential = :credential AND expires_at > now()
""")
_INSERT = text(f"""
    INSERT INTO job (path, query, credential, user_id, caller, client_ip, request_id, traceparent, expires_at)
    VALUES (:path, :query, :credential, :user_id, CAST(:caller AS jsonb), :client_ip, :request_id, :traceparent, {_TTL})
    RETURNING id
""")
_SELECT = """
    SELECT id, path, query, state, progress, problem, headers, CAST(runner AS text) AS runner, CAST(caller AS text)
        AS caller, created_at, started_at, finished_at, expires_at
    FROM job WHERE credential = :credential AND expires_at > now()
"""
_BY_ID = text(f"{_SELECT} AND id = :id")
_NEWEST = text(f"{_SELECT} AND id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset")
_DELETE = text("DELETE FROM job WHERE id = :id AND credential = :credential AND expires_at > now() RETURNING 1")
_IS_CLAIMABLE = "(state = 'queued' OR state = 'running' AND lease_until < now()) AND expires_at > now()"
CLAIMABLE = f"SELECT FROM job WHERE {_IS_CLAIMABLE}"
# SKIP LOCKED: replicas that look for work at the same time claim different jobs instead of waiting for each other.
_CLAIM = text(f"""
    UPDATE job SET state = 'running', runner = CAST(:runner AS uuid), attempts = attempts + 1, progress = 0,
        lease_until = now() + make_interval(secs => :lease_seconds), started_at = coalesce(started_at, now())
    WHERE id = (SELECT id FROM job WHERE {_IS_CLAIMABLE} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, CAST(runner AS text) AS runner, path, query, attempts, CAST(caller AS text) AS caller, client_ip,
        request_id, traceparent
""")
_IS_HELD = "id = :id AND runner = CAST(:runner AS uuid) AND state = 'running'"
_RENEW = text(f"""
    UPDATE job SET lease_until = now() + make_interval(secs => :lease_seconds), progress = :progress
    WHERE {_IS_HELD} RETURNING 1
""")
_RELEASE = text(f"""
    UPDATE job SET state = 'queued', runner = NULL, lease_until = NULL, attempts = attempts - 1 WHERE {_IS_HELD}
""")
_INSERT_PART = text(f"""
    INSERT INTO job_result (job_id, runner, number, content)
    SELECT id, runner, :number, :content FROM job WHERE {_IS_HELD} FOR SHARE RETURNING 1
""")
_FINISH = text(f"""
    UPDATE job SET state = :state, problem = CAST(:problem AS jsonb), headers = CAST(:headers AS jsonb),
        lease_until = NULL, finished_at = now(), expires_at = {_TTL},
        progress = CASE CAST(:state AS text) WHEN 'done' THEN 100 ELSE progress END
    WHERE {_IS_HELD} RETURNING user_id, state, path, created_at, finished_at, expires_at
""")
_DELETE_OTHER_PARTS = text("DELETE FROM job_result WHERE job_id = :id AND runner <> CAST(:runner AS uuid)")
_PART = text("""
    SELECT content FROM job_result WHERE job_id = :id AND runner = CAST(:runner AS uuid) AND number = :number
""")
_KEEP = text("UPDATE job SET expires_at = now() + make_interval(secs => :seconds) WHERE id = :id RETURNING expires_at")
_REMOVE = text("DELETE FROM job WHERE id = :id")
_DELETE_EXPIRED = text("DELETE FROM job WHERE expires_at <= now()")
_DELETE_OF_USERS = text("DELETE FROM job WHERE user_id = ANY(:user_ids)")
# A file cannot be searched for a person: finished ones are deleted, and those in progress are produced again.
_DELETE_RESULTS = text("DELETE FROM job WHERE state = 'done'")
_REPEAT_RUNNING = text("UPDATE job SET state = 'queued', runner = NULL, lease_until = NULL WHERE state = 'running'")


async def require_room(session: AsyncSession, caller: Principal) -> None:
    """Raises TooManyJobs if the caller may have no further job; otherwise none is added before the commit."""
    credential = {"credential": caller.credential}
    await session.execute(_LOCK_CALLER, credential)
    counts = (await session.execute(_COUNT, credential)).one()
    if counts.open >= MAX_OPEN_JOBS or counts.kept >= MAX_KEPT_JOBS:
        raise TooManyJobs(headers={"Retry-After": "10"})


async def insert_job(session: AsyncSession, path: str, query: str, caller: Principal, context: EventContext) -> int:
    """Returns its id. `JOB_QUEUED` wakes the workers at the commit."""
    values = {
        "credential": caller.credential,
        "path": path,
        "query": query,
        "user_id": caller.user_id,
        "caller": _PRINCIPAL.dump_json(caller).decode(),
        "client_ip": context.client_ip,
        "request_id": context.request_id,
        "traceparent": context.traceparent,
    }
    job_id: int = await session.scalar(_INSERT, values)
    signal_on_commit(session, JOB_QUEUED)
    return job_id


async def get_job(session: AsyncSession, job_id: int, credential: str) -> Row[Any]:
    """Raises UnknownJob."""
    row = (await session.execute(_BY_ID, {"id": job_id, "credential": credential})).one_or_none()
    if row is None:
        raise UnknownJob()
    return row


async def list_jobs(session: AsyncSession, query: PageQuery, credential: str) -> PageSlice[Row[Any]]:
    position = query.position(NEWEST_FIRST, int)
    before, offset = (MAX_ID, query.offset) if position is None else (position[0], 0)
    values = {"credential": credential, "before": before, "offset": offset, "limit": query.page_size + 1}
    rows = (await session.execute(_NEWEST, values)).all()
    page = rows[: query.page_size]
    cursor = encode_cursor(NEWEST_FIRST, [page[-1].id]) if len(rows) > len(page) else None
    counts = (await session.execute(_COUNT, {"credential": credential})).one()
    return PageSlice(page, counts.kept, cursor)


async def delete_job(session: AsyncSession, job_id: int, credential: str) -> None:
    """A running job loses its lease. Raises UnknownJob."""
    if not await session.scalar(_DELETE, {"id": job_id, "credential": credential}):
        raise UnknownJob()


async def claim_job(session: AsyncSession, runner: str, lease_seconds: float) -> Job | None:
    """Lease the oldest job that is queued or whose lease has expired."""
    row = (await session.execute(_CLAIM, {"runner": runner, "lease_seconds": lease_seconds})).one_or_none()
    if row is None:
        return None
    caller = caller_of(row)
    context = EventContext(caller.user_id, caller.username, row.client_ip, row.request_id, row.traceparent)
    return Job(row.id, row.runner, row.path, row.query, row.attempts, caller, context)


def caller_of(row: Row[Any]) -> Principal:
    """The caller of a job at its request."""
    return _PRINCIPAL.validate_json(row.caller)


async def renew_lease(session: AsyncSession, job: Job, lease_seconds: float, progress: int) -> bool:
    """False if the job has been deleted or belongs to another runner."""
    values = {"id": job.id, "runner": job.runner, "lease_seconds": lease_seconds, "progress": progress}
    return bool(await session.scalar(_RENEW, values))


async def release_job(session: AsyncSession, job: Job) -> None:
    """Return the job to the queue; the attempt is not counted."""
    await session.execute(_RELEASE, {"id": job.id, "runner": job.runner})


async def insert_part(session: AsyncSession, job: Job, number: int, content: bytes) -> None:
    """Raises LeaseLost."""
    values = {"id": job.id, "runner": job.runner, "number": number, "content": content}
    if not await session.scalar(_INSERT_PART, values):
        raise LeaseLost


async def finish_job(
    session: AsyncSession, job: Job, state: str, *, headers: str | None = None, problem: str | None = None
) -> Mapping[str, Any]:
    """End the job; returns the fields of its event. `headers` and `problem` are JSON. Raises LeaseLost."""
    values = {"id": job.id, "runner": job.runner, "state": state, "headers": headers, "problem": problem}
    finished = (await session.execute(_FINISH, values)).one_or_none()
    if finished is None:
        raise LeaseLost
    await session.execute(_DELETE_OTHER_PARTS, {"id": job.id, "runner": job.runner})
    return finished._asdict()


async def read_parts(database: Database, job_id: int, runner: str) -> AsyncIterator[bytes]:
    """The result of a finished job, each part in its own short read."""
    number = 0
    while True:
        async with database.reading() as session:
            content = await session.scalar(_PART, {"id": job_id, "runner": runner, "number": number})
        if content is None:
            return
        yield content
        number += 1


async def keep_result(session: AsyncSession, job_id: int, seconds: float) -> datetime:
    """Keep the result of a job for another time than RESULT_TTL_SECONDS, from now on; returns its end."""
    return cast(datetime, await session.scalar(_KEEP, {"id": job_id, "seconds": seconds}))


async def remove_job(session: AsyncSession, job_id: int) -> None:
    """Delete a job and its result, of any credential."""
    await session.execute(_REMOVE, {"id": job_id})


async def delete_expired_jobs(session: AsyncSession) -> None:
    await session.execute(_DELETE_EXPIRED)


async def erase_persons_from_jobs(session: AsyncSession, persons: Sequence[str]) -> None:
    """Delete the jobs of erased users, and all results, which may contain data of the persons."""
    users = [int(person.partition("/")[2]) for person in persons if person.startswith("user/")]
    await session.execute(_DELETE_OF_USERS, {"user_ids": users})
    await session.execute(_DELETE_RESULTS)
    await session.execute(_REPEAT_RUNNING)
