"""Events of the jobs that catalog runs."""

from typing import ClassVar

from stockbuddy.contracts.jobs import JobProgress, JobState


class JobProgressed(JobProgress):
    """A job of catalog has begun or got further."""

    type: ClassVar[str] = "catalog.job.progressed"


class JobFinished(JobState):
    """A job of catalog ended."""

    type: ClassVar[str] = "catalog.job.finished"
