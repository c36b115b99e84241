"""Events of the jobs that stock runs."""

from typing import ClassVar

from stockbuddy.contracts.jobs import JobState


class JobFinished(JobState):
    """A job of stock ended."""

    type: ClassVar[str] = "stock.job.finished"
