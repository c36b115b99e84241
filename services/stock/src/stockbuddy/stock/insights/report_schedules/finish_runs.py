"""Records and announces the end of a run, in the transaction in which its job ends."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import sorted_names
from stockbuddy.chassis.http.jobs.queries import caller_of, get_job, keep_result, remove_job
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.jobs import JobState
from stockbuddy.contracts.stock import ReportFailed, ReportProduced
from stockbuddy.stock.insights.report_schedules import queries
from stockbuddy.stock.insights.report_schedules.model import ReportSchedule

RESULT_TTL_SECONDS = 7 * 24 * 3600
"""Longer than that of other jobs, because people read their e-mails days later. A schedule keeps its latest result."""


async def record_finished_run(session: AsyncSession, job: JobState) -> None:
    """Called at the end of any job."""
    # Before the schedule is locked: jobs are locked first, as by their deletion, which changes their schedules.
    if job.state == "done" and (earlier := await queries.find_earlier_result(session, job.job_id)) is not None:
        await remove_job(session, earlier)
    schedule = await queries.lock_schedule_of_job(session, job.job_id)
    if schedule is None:
        return
    if job.state == "done":
        await _record_result(session, schedule, job)
    else:
        schedule.update_fields({"last_run_state": "failed", "last_run_problem": job.problem_code})
        outbox.add(session, ReportFailed(**_run_of(schedule, job), problem_code=job.problem_code or "internal_error"))
    await session.flush()


async def _record_result(session: AsyncSession, schedule: ReportSchedule, job: JobState) -> None:
    expires_at = await keep_result(session, job.job_id, RESULT_TTL_SECONDS)
    run = {"result_job_id": job.job_id, "result_expires_at": expires_at, "last_run_state": "done"}
    schedule.update_fields(run)
    caller = caller_of(await get_job(session, job.job_id, str(schedule.owner_id)))
    event = ReportProduced(
        **_run_of(schedule, job), required_permissions=sorted_names(caller.permissions), expires_at=expires_at
    )
    outbox.add(session, event)


def _run_of(schedule: ReportSchedule, job: JobState) -> dict[str, Any]:
    """What the events have in common. An erasure may have removed the last recipient."""
    return {
        "schedule_id": schedule.id,
        "owner_id": schedule.owner_id,
        "job_id": job.job_id,
        "name": schedule.name,
        "report": schedule.report,
        "format": schedule.format,
        "language": schedule.language,
        "recipient_ids": schedule.recipient_ids or [schedule.owner_id],
        "finished_at": job.finished_at,
    }
