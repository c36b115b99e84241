"""A job under a lease, and the limits of jobs."""

from dataclasses import dataclass

from stockbuddy.chassis.http.errors import Conflict, NotFound, Problem, TooLarge, TooManyRequests
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime.event_context import EventContext

MAX_OPEN_JOBS = 5
"""Queued and running jobs of one credential in one service."""
MAX_KEPT_JOBS = 100
"""All jobs of one credential in one service whose results are still stored."""
MAX_ATTEMPTS = 5
MAX_RESULT_BYTES = 256 * 1024 * 1024
RESULT_TTL_SECONDS = 24 * 3600

JOB_QUEUED = "job.queued"
"""The commit signal of new jobs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job under a lease; `runner` identifies the holder. `path` and `query` are those of the request."""

    id: int
    runner: str
    path: str
    query: str
    attempts: int
    caller: Principal
    context: EventContext


class LeaseLost(Exception):
    """The job was deleted, or another runner has it because its lease had expired."""


class ResultLimitExceeded(Exception):
    """The result is larger than MAX_RESULT_BYTES."""


class UnknownJob(NotFound):
    """There is no such job of this caller, or its result has been deleted."""

    code = "unknown_job"


class JobNotFinished(Conflict):
    """The job has not finished: read its state first."""

    code = "job_not_finished"


class JobFailed(Conflict):
    """The job failed; its `problem` has the reason."""

    code = "job_failed"


class TooManyJobs(TooManyRequests):
    """Too many jobs: wait until one has finished, or delete one."""

    code = "too_many_jobs"


class ResultTooLarge(TooLarge):
    """The result exceeds 256 MiB: choose narrower filters."""

    code = "result_too_large"


class JobInterrupted(Problem):
    """The job was stopped after 5 interrupted attempts."""

    code = "job_interrupted"
