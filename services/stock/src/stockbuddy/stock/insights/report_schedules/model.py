"""The table of report schedules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.insights.report_schedules.relative_period import RelativePeriod
from stockbuddy.stock.insights.report_schedules.report_request import ReportName
from stockbuddy.stock.insights.reports.rendering import ReportFormat
from stockbuddy.stock.orm import Base, VersionedRecord

PauseReason = Literal["owner_inactive", "permission_revoked"]
RunState = Literal["running", "done", "failed", "cancelled"]


class ReportSchedule(VersionedRecord, Base):
    """`period`, `recurrence` and `next_run_at` are those of `recurrence.Recurrence`, computed in `timezone`; a paused
    schedule has no next run. `last_job_id` is null once that job was deleted, `result_job_id` is that of the latest run
    that is done."""

    __tablename__ = "report_schedule"

    name: Mapped[str]
    owner_id: Mapped[int]
    report: Mapped[ReportName] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    period: Mapped[RelativePeriod | None] = mapped_column(Text)
    format: Mapped[ReportFormat] = mapped_column(Text)
    language: Mapped[str]
    recurrence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recipient_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    is_paused: Mapped[bool]
    pause_reason: Mapped[str | None]
    timezone: Mapped[str]
    next_run_at: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_run_state: Mapped[str | None]
    last_run_problem: Mapped[str | None]
    last_job_id: Mapped[int | None]
    result_job_id: Mapped[int | None]
    result_expires_at: Mapped[datetime | None]

    @property
    def shown_run_state(self) -> str | None:
        """A run whose job was deleted before its end is cancelled."""
        return "cancelled" if self.last_run_state == "running" and self.last_job_id is None else self.last_run_state

    @property
    def readers(self) -> Sequence[int]:
        """The users who may read the schedule and its result."""
        return [self.owner_id, *self.recipient_ids]

    def pause(self, reason: PauseReason) -> None:
        self.update_fields({"is_paused": True, "pause_reason": reason, "next_run_at": None})

    def begin_run(self, job_id: int, at: datetime) -> None:
        run = {"last_job_id": job_id, "last_run_at": at, "last_run_state": "running", "last_run_problem": None}
        self.update_fields(run)
