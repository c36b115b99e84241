"""The lease of the job that a worker runs. Renewing it records the progress, and publishes it in large steps."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.jobs import queries
from stockbuddy.chassis.http.jobs.model import Job
from stockbuddy.chassis.http.jobs.progress import Progress
from stockbuddy.chassis.http.jobs.schemas import job_path
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.jobs import JobProgress

PUBLISHED_STEP_PERCENT = 10
"""The event log keeps every event: a job publishes at most ten."""


class JobLease:
    """`service`: the first part of the paths of its jobs. `progressed`: the service's event."""

    def __init__(
        self, job: Job, progress: Progress, *, service: str, seconds: float, progressed: type[JobProgress]
    ) -> None:
        self.job = job
        self.progress = progress
        self.seconds = seconds
        self._service = service
        self._progressed = progressed
        self._published_percent = 0

    def publish(self, session: AsyncSession) -> None:
        """Publish the progress with the session's commit."""
        job, self._published_percent = self.job, self.progress.percent
        event = self._progressed(
            job_id=job.id,
            user_id=job.caller.user_id,
            url=job_path(self._service, job.id),
            path=job.path,
            progress=self._published_percent,
        )
        outbox.add(session, event)

    async def renew(self, session: AsyncSession) -> bool:
        """False if the job has been deleted or belongs to another runner."""
        is_held = await queries.renew_lease(session, self.job, self.seconds, self.progress.percent)
        if is_held and self.progress.percent >= self._published_percent + PUBLISHED_STEP_PERCENT:
            self.publish(session)
        return is_held
