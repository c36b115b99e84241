"""Routes of report schedules. They belong to a user: API keys and apps have no schedules."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import UserSession, requires
from stockbuddy.chassis.http.errors import Forbidden, raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.jobs.model import TooManyJobs, UnknownJob
from stockbuddy.chassis.http.jobs.queries import caller_of, get_job, require_room
from stockbuddy.chassis.http.jobs.routes import ANY_FILE, stream_result
from stockbuddy.chassis.http.jobs.schemas import job_path
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import current_event_context
from stockbuddy.stock.errors import NoReportResult, ReportRunning, TooManyReportSchedules
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.insights.report_schedules import commands, queries
from stockbuddy.stock.insights.report_schedules.model import ReportSchedule
from stockbuddy.stock.insights.report_schedules.schemas import (
    SERVICE,
    ReportScheduleCreate,
    ReportScheduleResponse,
    ReportScheduleUpdate,
)
from stockbuddy.stock.insights.report_schedules.start_runs import start_run
from stockbuddy.stock.periods import load_company_zone

router = APIRouter(
    prefix="/api/v1/report-schedules",
    tags=["report schedules"],
    route_class=ConditionalRoute,
    dependencies=[requires(Permission.REPORT_READ)],
)

ScheduleId = Annotated[Id, Path()]


@router.post("", response_model=ReportScheduleResponse, status_code=201)
@raises(Forbidden, TooManyReportSchedules)
async def create_report_schedule(session: Session, caller: UserSession, body: ReportScheduleCreate) -> Response:
    """Schedule a report.

    It runs with the caller's permissions, which are checked again at each run, and its recipients are
    notified by e-mail and in the app. At most 20 schedules per user.
    """
    return _to_response(await commands.create_schedule(session, caller, body), status=201)


@router.get("", response_model=Page[ReportScheduleResponse])
async def list_report_schedules(session: ReadSession, caller: UserSession, query: PageParameters) -> Response:
    """List report schedules.

    Those that the caller owns or receives, the oldest first.
    """
    found = await queries.list_schedules(session, query, caller.user_id)
    return json_response(found.to_page(query, ReportScheduleResponse.from_model))


@router.get("/{schedule_id}", response_model=ReportScheduleResponse)
async def get_report_schedule(session: ReadSession, caller: UserSession, schedule_id: ScheduleId) -> Response:
    """Read a report schedule.

    For its owner and its recipients. `ETag` is the version, for a later change; each run changes it, too.
    """
    return _to_response(await queries.get_schedule(session, schedule_id, reader_id=caller.user_id))


@router.put("/{schedule_id}", response_model=ReportScheduleResponse, name="update_report_schedule_put")
@router.patch("/{schedule_id}", response_model=ReportScheduleResponse)
@raises(Forbidden)
async def update_report_schedule(
    session: Session, caller: UserSession, schedule_id: ScheduleId, body: ReportScheduleUpdate, if_match: IfMatch = None
) -> Response:
    """Change, pause or resume a report schedule.

    PUT and PATCH do the same: absent fields keep their values. Only the owner may do so. A schedule that is resumed
    runs at its next time; what it missed is not made up for.
    """
    schedule = await queries.get_schedule(session, schedule_id, owner_id=caller.user_id)
    require_match(if_match, version_etag(schedule.version))
    await commands.update_schedule(session, caller, schedule, body)
    return _to_response(schedule)


@router.delete("/{schedule_id}", status_code=204)
async def delete_report_schedule(
    session: Session, caller: UserSession, schedule_id: ScheduleId, if_match: IfMatch = None
) -> None:
    """Delete a report schedule.

    A run in progress continues as a job of its owner, and its recipients are not notified of its end.
    """
    schedule = await queries.get_schedule(session, schedule_id, owner_id=caller.user_id)
    require_match(if_match, version_etag(schedule.version))
    await commands.delete_schedule(session, schedule)


@router.post("/{schedule_id}/run", response_model=ReportScheduleResponse, status_code=202)
@raises(Forbidden, ReportRunning, TooManyJobs)
async def run_report_schedule(session: Session, caller: UserSession, schedule_id: ScheduleId) -> Response:
    """Run a scheduled report now.

    Its next time does not change, and a paused one stays paused. `Location` is the job; the recipients are
    notified of the result as of any other.
    """
    schedule = await queries.get_schedule(session, schedule_id, owner_id=caller.user_id)
    commands.require_report(caller, schedule.report)
    if await queries.is_running(session, schedule):
        raise ReportRunning()
    await require_room(session, caller)
    zone = await load_company_zone(session)
    job_id = await start_run(session, schedule, caller, current_event_context(), zone, clock.now())
    await session.flush()
    response = _to_response(schedule, status=202)
    response.headers["Location"] = job_path(SERVICE, job_id)
    return response


@router.get("/{schedule_id}/result", response_class=StreamingResponse, responses=ANY_FILE)
@raises(Forbidden, NoReportResult)
async def get_report_schedule_result(
    request: Request, session: ReadSession, caller: UserSession, schedule_id: ScheduleId
) -> Response:
    """Read the latest result of a scheduled report.

    For its owner and its recipients, for seven days. A caller without the permissions with which it was produced gets
    403, because it may contain what they may not see.
    """
    schedule = await queries.get_schedule(session, schedule_id, reader_id=caller.user_id)
    database = get_resources(request).database
    try:
        async with database.reading() as primary:
            row = await get_job(primary, schedule.result_job_id or 0, str(schedule.owner_id))
    except UnknownJob as error:
        raise NoReportResult() from error
    if not caller_of(row).permissions <= caller.permissions:
        raise Forbidden("The report may contain what the caller may not see.")
    return stream_result(database, row)


def _to_response(schedule: ReportSchedule, *, status: int = 200) -> Response:
    body = ReportScheduleResponse.from_model(schedule)
    return json_response(body, status=status, etag=version_etag(schedule.version))
