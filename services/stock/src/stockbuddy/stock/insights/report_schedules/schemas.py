"""Request and response models of report schedules."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StrictBool

from stockbuddy.chassis.fields import Id, Omittable, RequestBody
from stockbuddy.chassis.http.jobs.schemas import job_path
from stockbuddy.stock.fields import Name
from stockbuddy.stock.insights.report_schedules.model import PauseReason, ReportSchedule, RunState
from stockbuddy.stock.insights.report_schedules.recurrence import Recurrence
from stockbuddy.stock.insights.report_schedules.relative_period import RelativePeriod
from stockbuddy.stock.insights.report_schedules.report_request import ReportName, ReportParameters
from stockbuddy.stock.insights.reports.rendering import ReportFormat

MAX_RECIPIENTS = 20
PATH = "/api/v1/report-schedules"
SERVICE = "stock"
"""In the paths of its jobs."""

Language = Literal["en", "de", "es"]


def _without_duplicates(ids: list[int]) -> list[int]:
    return list(dict.fromkeys(ids))


Recipients = Annotated[list[Id], Field(min_length=1, max_length=MAX_RECIPIENTS), AfterValidator(_without_duplicates)]


class ReportScheduleCreate(RequestBody):
    """`period` is required by reports about a period, and evaluated in the company's time zone at the time of a run.
    Without `recipient_ids` the owner is the recipient."""

    name: Name
    report: ReportName
    parameters: ReportParameters = Field(default_factory=ReportParameters)
    period: RelativePeriod | None = None
    format: ReportFormat = "xlsx"
    language: Language = "en"
    recurrence: Recurrence
    recipient_ids: Recipients | None = None
    is_paused: StrictBool = False


class ReportScheduleUpdate(RequestBody):
    """Omitted fields keep their value; `parameters` and `recurrence` are replaced as a whole."""

    name: Omittable[Name]
    report: Omittable[ReportName]
    parameters: Omittable[ReportParameters]
    period: Omittable[RelativePeriod | None]
    format: Omittable[ReportFormat]
    language: Omittable[Language]
    recurrence: Omittable[Recurrence]
    recipient_ids: Omittable[Recipients]
    is_paused: Omittable[StrictBool]


class ReportRunResponse(BaseModel):
    """The latest run of a schedule."""

    state: RunState = Field(description="`running`, `done`, `failed`, or `cancelled` if its job was deleted.")
    started_at: datetime = Field(description="When the run began, in UTC.")
    job_url: str | None = Field(description="The path of its job, for the owner; null once that is deleted.")
    problem_code: str | None = Field(description="The code of the problem of a failed run; null unless it failed.")


class ReportScheduleResponse(BaseModel):
    id: int
    name: str
    owner_id: int
    report: ReportName
    parameters: ReportParameters
    period: RelativePeriod | None
    format: ReportFormat
    language: Language
    recurrence: Recurrence
    recipient_ids: list[int]
    is_paused: bool
    pause_reason: PauseReason | None
    timezone: str
    next_run_at: datetime | None
    last_run: ReportRunResponse | None
    result_url: str | None
    result_expires_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_model(cls, schedule: ReportSchedule) -> Self:
        names = cls.model_fields.keys() - {"last_run", "result_url", "result_expires_at"}
        has_result = schedule.result_job_id is not None
        return cls.model_validate(
            {
                **{name: getattr(schedule, name) for name in names},
                "last_run": _last_run(schedule),
                "result_url": f"{PATH}/{schedule.id}/result" if has_result else None,
                "result_expires_at": schedule.result_expires_at if has_result else None,
            }
        )


def _last_run(schedule: ReportSchedule) -> dict[str, object] | None:
    if schedule.last_run_at is None:
        return None
    return {
        "state": schedule.shown_run_state,
        "started_at": schedule.last_run_at,
        "job_url": job_path(SERVICE, schedule.last_job_id) if schedule.last_job_id else None,
        "problem_code": schedule.last_run_problem,
    }
