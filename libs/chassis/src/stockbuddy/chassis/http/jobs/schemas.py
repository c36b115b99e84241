"""Responses of jobs."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import Row

JobStatus = Literal["queued", "running", "done", "failed"]


class JobProblem(BaseModel):
    """Why a job failed: what the request would have been answered."""

    status: int = Field(description="The HTTP status.")
    code: str = Field(description="The stable code of the problem.")
    detail: str = Field(description="The problem, for people.")


class JobResponse(BaseModel):
    """A job: a request that the service answers in the background."""

    id: int
    service: str = Field(description="The service that runs the job, a part of its path.")
    url: str = Field(description="The path of the job.")
    request: str = Field(description="Path and query of the request.")
    state: JobStatus = Field(description="`queued`, `running`, `done` (the result can be read) or `failed`.")
    progress: int = Field(description="Percent done. Jumps from 0 to 100 where the size is not known in advance.")
    problem: JobProblem | None = Field(description="Why the job failed; null unless it did.")
    result_url: str | None = Field(description="The path of the result; null unless the job is done.")
    created_at: datetime
    started_at: datetime | None = Field(description="When a worker first began with it, in UTC; null until then.")
    finished_at: datetime | None
    expires_at: datetime = Field(description="When job and result are deleted, in UTC.")


def job_path(service: str, job_id: int) -> str:
    return f"/api/v1/jobs/{service}/{job_id}"


def to_response(service: str, row: Row[Any]) -> JobResponse:
    url = job_path(service, row.id)
    return JobResponse(
        id=row.id,
        service=service,
        url=url,
        request=f"{row.path}?{row.query}" if row.query else row.path,
        state=row.state,
        progress=row.progress,
        problem=row.problem,
        result_url=f"{url}/result" if row.state == "done" else None,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )
