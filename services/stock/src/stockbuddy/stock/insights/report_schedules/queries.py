"""Reads of report schedules, and the erasure of users from them."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, SortOrder, fetch_page
from stockbuddy.stock.insights.report_schedules.model import ReportSchedule

BY_ID = SortOrder("id_asc", (ReportSchedule.id,))

# A schedule whose latest run has not ended waits for that; a change of the company's time zone moves the next run.
_HAS_OPEN_JOB = """
    EXISTS (SELECT FROM job WHERE job.id = last_job_id AND state IN ('queued', 'running') AND expires_at > now())
"""
_IS_DUE = f"""
    next_run_at IS NOT NULL
    AND (timezone <> (SELECT timezone FROM setting) OR next_run_at <= now() AND NOT {_HAS_OPEN_JOB})
"""
DUE = f"SELECT FROM report_schedule WHERE {_IS_DUE}"
# SKIP LOCKED: replicas that look for work at the same time start different runs instead of waiting for each other.
_LOCK_DUE = text(f"SELECT id FROM report_schedule WHERE {_IS_DUE} ORDER BY next_run_at LIMIT 1 FOR UPDATE SKIP LOCKED")
# The count must not change before the insert: concurrent requests of one owner wait for each other.
_LOCK_OWNER = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' report schedules ' || :owner_id, 0))"
)
_IS_RUNNING = text(f"SELECT {_HAS_OPEN_JOB} FROM report_schedule WHERE id = :id")
_RESULT_OF_SCHEDULE = text("SELECT result_job_id FROM report_schedule WHERE last_job_id = :job_id")
_DELETE_OF_USERS = text("DELETE FROM report_schedule WHERE owner_id = ANY(:user_ids)")
_REMOVE_RECIPIENT = text("""
    UPDATE report_schedule SET recipient_ids = array_remove(recipient_ids, :user_id), version = version + 1
    WHERE :user_id = ANY(recipient_ids)
""")


async def list_schedules(session: AsyncSession, query: PageQuery, reader_id: int) -> PageSlice[ReportSchedule]:
    """Those that the user owns or receives."""
    is_reader = or_(ReportSchedule.owner_id == reader_id, ReportSchedule.recipient_ids.contains([reader_id]))
    return await fetch_page(session, select(ReportSchedule).where(is_reader), BY_ID, query)


async def get_schedule(
    session: AsyncSession, schedule_id: int, *, reader_id: int | None = None, owner_id: int | None = None
) -> ReportSchedule:
    """For a reader, or locked for its owner. Raises NotFound, also if it belongs to others."""
    schedule = await session.get(ReportSchedule, schedule_id, with_for_update=(owner_id is not None) or None)
    if schedule is None or (owner_id is not None and schedule.owner_id != owner_id):
        raise NotFound()
    if reader_id is not None and reader_id not in schedule.readers:
        raise NotFound()
    return schedule


async def count_schedules(session: AsyncSession, owner_id: int) -> int:
    """Locked: none is added before the commit."""
    await session.execute(_LOCK_OWNER, {"owner_id": str(owner_id)})
    statement = select(func.count()).select_from(ReportSchedule).where(ReportSchedule.owner_id == owner_id)
    return await session.scalar(statement) or 0


async def lock_due(session: AsyncSession) -> ReportSchedule | None:
    schedule_id = await session.scalar(_LOCK_DUE)
    return None if schedule_id is None else await session.get(ReportSchedule, schedule_id, with_for_update=True)


async def is_running(session: AsyncSession, schedule: ReportSchedule) -> bool:
    """Whether the job of the latest run has not ended."""
    return bool(await session.scalar(_IS_RUNNING, {"id": schedule.id}))


async def find_earlier_result(session: AsyncSession, job_id: int) -> int | None:
    """The job of the result that the schedule of a running job has."""
    found: int | None = await session.scalar(_RESULT_OF_SCHEDULE, {"job_id": job_id})
    return found


async def lock_schedule_of_job(session: AsyncSession, job_id: int) -> ReportSchedule | None:
    statement = select(ReportSchedule).where(ReportSchedule.last_job_id == job_id).with_for_update()
    return await session.scalar(statement)


async def erase_persons_from_report_schedules(session: AsyncSession, persons: Sequence[str]) -> None:
    """Delete the schedules of erased users, and remove the users from those of others."""
    users = [int(person.partition("/")[2]) for person in persons if person.startswith("user/")]
    await session.execute(_DELETE_OF_USERS, {"user_ids": users})
    for user_id in users:
        await session.execute(_REMOVE_RECIPIENT, {"user_id": user_id})
