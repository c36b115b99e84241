"""Events of the jobs that catalog runs."""

from typing import ClassVar

from stockbuddy.contracts.jobs import JobState


class JobFinished(JobState):
    """A job of catalog ended."""

    type: ClassVar[str] = "catalog.job.finished"
