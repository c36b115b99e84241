"""Events of scheduled reports."""

from datetime import datetime
from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


class ReportScheduleState(Event):
    """A report schedule after the change, or before its deletion. `period`: relative to the run, such as `last_week`.
    `parameters` are those of the report; `recurrence`: `frequency`, `time` and, depending on it, `weekdays` or
    `day_of_month`, in the company's time zone. `recipient_ids`: users. `pause_reason`: why the system paused it."""

    subject_template: ClassVar[str] = "report-schedule/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    name: str
    owner_id: int
    report: str
    parameters: dict[str, Any]
    period: str | None = None
    format: str
    language: str
    recurrence: dict[str, Any]
    recipient_ids: list[int]
    is_paused: bool
    pause_reason: str | None = None
    next_run_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class ReportScheduleCreated(ReportScheduleState):
    type: ClassVar[str] = "stock.report_schedule.created"


class ReportScheduleUpdated(ReportScheduleState):
    type: ClassVar[str] = "stock.report_schedule.updated"


class ReportScheduleDeleted(ReportScheduleState):
    type: ClassVar[str] = "stock.report_schedule.deleted"


class ReportSchedulePaused(ReportScheduleState):
    """The system paused the schedule, because its owner may no longer read the report: `pause_reason` is
    `owner_inactive` or `permission_revoked`."""

    type: ClassVar[str] = "stock.report_schedule.paused"


class ReportRun(Event):
    """A run of a report schedule ended. Addressed to the owner of the schedule. `recipient_ids`: the users to notify,
    in `language`; `job_id`: the job that ran."""

    subject_template: ClassVar[str] = "user/{owner_id}"

    schedule_id: int
    owner_id: int
    job_id: int
    name: str
    report: str
    format: str
    language: str
    recipient_ids: list[int]
    finished_at: datetime


class ReportProduced(ReportRun):
    """The report can be read at `GET /report-schedules/{id}/result` until `expires_at`, by the recipients with
    `required_permissions`."""

    type: ClassVar[str] = "stock.report.produced"

    required_permissions: list[str]
    expires_at: datetime


class ReportFailed(ReportRun):
    """The run failed; `problem_code` is the code of the job's problem."""

    type: ClassVar[str] = "stock.report.failed"

    problem_code: str
