"""Creates, updates and deletes report schedules."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.authentication import require
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.stock import (
    ReportScheduleCreated,
    ReportScheduleDeleted,
    ReportScheduleState,
    ReportScheduleUpdated,
)
from stockbuddy.stock.errors import TooManyReportSchedules
from stockbuddy.stock.insights.report_schedules import queries
from stockbuddy.stock.insights.report_schedules.model import ReportSchedule
from stockbuddy.stock.insights.report_schedules.recurrence import Recurrence
from stockbuddy.stock.insights.report_schedules.report_request import (
    REPORTS,
    ReportName,
    ReportParameters,
    check_request,
)
from stockbuddy.stock.insights.report_schedules.schemas import ReportScheduleCreate, ReportScheduleUpdate
from stockbuddy.stock.periods import load_company_zone
from stockbuddy.stock.replicas.users import add_user_from_claims

MAX_SCHEDULES_PER_OWNER = 20


async def create_schedule(session: AsyncSession, caller: Principal, body: ReportScheduleCreate) -> ReportSchedule:
    """Raises Forbidden, Unprocessable, TooManyReportSchedules."""
    check_request(body.report, body.parameters, body.period)
    require_report(caller, body.report)
    if await queries.count_schedules(session, caller.user_id) >= MAX_SCHEDULES_PER_OWNER:
        raise TooManyReportSchedules()
    await add_user_from_claims(session, caller)
    zone = await load_company_zone(session)
    values = body.model_dump() | {"recipient_ids": body.recipient_ids or [caller.user_id]}
    schedule = ReportSchedule(**_stored(values), owner_id=caller.user_id, timezone=zone.key)
    schedule.next_run_at = next_run_of(schedule, zone, clock.now())
    session.add(schedule)
    await session.flush()
    await session.refresh(schedule)
    outbox.add(session, to_event(ReportScheduleCreated, schedule))
    return schedule


async def update_schedule(
    session: AsyncSession, caller: Principal, schedule: ReportSchedule, body: ReportScheduleUpdate
) -> None:
    """Resuming a schedule, or changing its recurrence, plans a next run after now. Raises Forbidden, Unprocessable."""
    changes = body.sent_fields()
    report: ReportName = changes.get("report", schedule.report)
    parameters = changes.get("parameters", ReportParameters.model_validate(schedule.parameters))
    check_request(report, parameters, changes.get("period", schedule.period))
    require_report(caller, report)
    await add_user_from_claims(session, caller)
    if "is_paused" in changes:
        changes["pause_reason"] = None
    zone = await load_company_zone(session)
    schedule.update_fields(_stored(changes))
    if changes.keys() & {"is_paused", "recurrence"}:
        schedule.timezone, schedule.next_run_at = zone.key, next_run_of(schedule, zone, clock.now())
    await session.flush()
    outbox.add(session, to_event(ReportScheduleUpdated, schedule))


async def delete_schedule(session: AsyncSession, schedule: ReportSchedule) -> None:
    """A run in progress continues as a job, without an announcement."""
    schedule.version += 1
    outbox.add(session, to_event(ReportScheduleDeleted, schedule))
    await session.delete(schedule)


def next_run_of(schedule: ReportSchedule, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The first one after `now`; none of a paused schedule."""
    if schedule.is_paused:
        return None
    return Recurrence.model_validate(schedule.recurrence).next_after(now, zone)


def to_event(event_type: type[ReportScheduleState], schedule: ReportSchedule) -> ReportScheduleState:
    return event_type.model_validate({name: getattr(schedule, name) for name in event_type.model_fields})


def require_report(caller: Principal, report: ReportName) -> None:
    """Raises Forbidden."""
    for permission in REPORTS[report].permissions:
        require(caller, permission)


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    """As the columns store them: models as JSON objects, parameters that are absent left out."""
    stored = dict(values)
    for name in ("parameters", "recurrence"):
        if name in stored:
            value = stored[name]
            stored[name] = value if isinstance(value, dict) else value.model_dump()
    if "parameters" in stored:
        stored["parameters"] = {name: value for name, value in stored["parameters"].items() if value is not None}
    return stored
