"""Events of the jobs that stock runs."""

from typing import ClassVar

from stockbuddy.contracts.jobs import JobProgress, JobState


class JobProgressed(JobProgress):
    """A job of stock has begun or got further."""

    type: ClassVar[str] = "stock.job.progressed"


class JobFinished(JobState):
    """A job of stock ended."""

    type: ClassVar[str] = "stock.job.finished"
