"""Starts the runs of schedules as jobs.

A run starts in the transaction that moves the schedule to its next time, under the lock of its row: however many
replicas there are, and whenever one dies, each due run is started once.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.jobs.queries import insert_job
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.stock import ReportSchedulePaused
from stockbuddy.stock.calendar_days import local_date
from stockbuddy.stock.insights.report_schedules import queries
from stockbuddy.stock.insights.report_schedules.commands import next_run_of, to_event
from stockbuddy.stock.insights.report_schedules.model import PauseReason, ReportSchedule
from stockbuddy.stock.insights.report_schedules.report_request import READ_PERMISSIONS, REPORTS, path_of, query_of
from stockbuddy.stock.periods import load_company_zone
from stockbuddy.stock.replicas.users import UserRights, find_rights

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 5.0


def schedule_worker(database: Database) -> PollingWorker:
    """Starts what is due."""

    async def start_next() -> bool:
        async with database.transaction() as session:
            return await _start_next_run(session)

    is_due = partial(database.exists, queries.DUE)
    return PollingWorker("stock.report_schedules", start_next, interval_seconds=POLL_INTERVAL_SECONDS, is_due=is_due)


async def _start_next_run(session: AsyncSession) -> bool:
    """False if no schedule is due. A run that was missed several times starts once."""
    schedule = await queries.lock_due(session)
    if schedule is None:
        return False
    zone, now = await load_company_zone(session), clock.now()
    is_due = schedule.next_run_at is not None and schedule.next_run_at <= now
    schedule.update_fields({"timezone": zone.key, "next_run_at": next_run_of(schedule, zone, now)})
    if is_due:
        await _start_or_pause(session, schedule, zone, now)
    await session.flush()
    return True


async def _start_or_pause(session: AsyncSession, schedule: ReportSchedule, zone: ZoneInfo, now: datetime) -> None:
    """With the rights that the owner has now."""
    rights = await find_rights(session, schedule.owner_id)
    if rights is None or not rights.is_active:
        await _pause(session, schedule, "owner_inactive")
    elif not REPORTS[schedule.report].permissions <= rights.permissions:
        await _pause(session, schedule, "permission_revoked")
    else:
        caller = _caller_of_run(schedule.owner_id, rights)
        await start_run(session, schedule, caller, EventContext(caller.user_id, caller.username), zone, now)


async def start_run(
    session: AsyncSession,
    schedule: ReportSchedule,
    caller: Principal,
    context: EventContext,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Add the job of a run with the caller's permissions, as far as reports differ by them; returns its id."""
    query = query_of(schedule.parameters, schedule.period, schedule.format, local_date(now, zone), zone)
    claims = replace(caller, permissions=caller.permissions & READ_PERMISSIONS, expires_at=0)
    job_id = await insert_job(session, path_of(schedule.report), query, claims, context)
    schedule.begin_run(job_id, now)
    log.info("report_schedule.started", schedule_id=schedule.id, job_id=job_id)
    return job_id


async def _pause(session: AsyncSession, schedule: ReportSchedule, reason: PauseReason) -> None:
    schedule.pause(reason)
    await session.flush()
    outbox.add(session, to_event(ReportSchedulePaused, schedule))
    log.info("report_schedule.paused", schedule_id=schedule.id, reason=reason)


def _caller_of_run(owner_id: int, rights: UserRights) -> Principal:
    """As in a session of the owner."""
    return Principal(
        user_id=owner_id,
        username=rights.username,
        role=rights.role,
        permissions=rights.permissions,
        session_id=str(uuid4()),
        warehouse_ids=rights.warehouse_ids,
        expires_at=0,
    )
