"""Runs jobs, a few at a time per replica; a lease keeps each job to one worker.

A job only reads, so a worker that claims an expired lease begins again. Parts of a result belong to a runner, and only
the holder of the lease can store one or finish the job: a result is never made of two attempts.
"""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Scope

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.jobs import queries
from stockbuddy.chassis.http.jobs.definition import JobDefinition
from stockbuddy.chassis.http.jobs.lease import JobLease
from stockbuddy.chassis.http.jobs.model import (
    JOB_QUEUED,
    MAX_ATTEMPTS,
    Job,
    JobInterrupted,
    LeaseLost,
    ResultLimitExceeded,
    ResultTooLarge,
)
from stockbuddy.chassis.http.jobs.progress import tracked_progress
from stockbuddy.chassis.http.jobs.result import ResultWriter
from stockbuddy.chassis.http.jobs.schemas import job_path
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.read_replica import ReadReplica, RequestReads, request_reads
from stockbuddy.chassis.runtime.background import GrowingInterval, PollingWorker, renewed_lease
from stockbuddy.chassis.runtime.event_context import event_context
from stockbuddy.chassis.runtime.failures import is_environment_fault

log = structlog.get_logger(__name__)

POLL_INTERVAL = GrowingInterval(seconds=1, max_seconds=5)
EXPIRY_INTERVAL_SECONDS = 600
CONCURRENT_JOBS = 2
"""More than one, so that a report that takes long delays no other job."""


class JobRunner:
    """`app`: serves the routes that jobs call."""

    def __init__(self, resources: Resources, app: ASGIApp, definition: JobDefinition, lease_seconds: float) -> None:
        self._database = resources.database
        self._reads = resources.reads
        self._app = app
        self._definition = definition
        self._lease_seconds = lease_seconds

    def workers(self) -> Sequence[PollingWorker]:
        is_due = partial(self._database.exists, queries.CLAIMABLE)
        workers = [
            PollingWorker(
                f"{self._database.schema}.jobs-{number}",
                self.run_next_job,
                interval_seconds=POLL_INTERVAL,
                is_due=is_due,
            )
            for number in range(1, CONCURRENT_JOBS + 1)
        ]
        for worker in workers:
            self._database.on_commit(JOB_QUEUED, worker.wake)
        name = f"{self._database.schema}.job_expiry"
        return [*workers, PollingWorker(name, self.delete_expired, interval_seconds=EXPIRY_INTERVAL_SECONDS)]

    async def delete_expired(self) -> None:
        async with self._database.transaction() as session:
            await queries.delete_expired_jobs(session)

    async def run_next_job(self) -> bool:
        """Claim a job and run it to its end. False if there is none."""
        with tracked_progress() as progress:
            async with self._database.transaction() as session:
                job = await queries.claim_job(session, str(uuid4()), self._lease_seconds)
                if job is None:
                    return False
                lease = JobLease(
                    job,
                    progress,
                    service=self._database.schema,
                    seconds=self._lease_seconds,
                    progressed=self._definition.progressed,
                )
                with event_context(job.context):
                    lease.publish(session)
            log.info("job.started", job_id=job.id, attempt=job.attempts)
            with event_context(job.context):
                await self._run_under_lease(lease)
        return True

    async def _run_under_lease(self, lease: JobLease) -> None:
        """Cancels the work if the lease is lost, for instance because the job was deleted."""
        job = lease.job
        work = asyncio.create_task(self._run(lease))

        async def renew() -> None:
            async with self._database.transaction() as session:
                is_held = await lease.renew(session)
            if not is_held:
                work.cancel()

        try:
            async with renewed_lease(self._lease_seconds, renew):
                await asyncio.wait([work])
        except asyncio.CancelledError:
            # Shutting down: release the lease, so that another replica need not wait until it expires.
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            async with self._database.transaction() as session:
                await queries.release_job(session, job)
            raise
        if work.cancelled() or isinstance(work.exception(), LeaseLost):
            log.info("job.lease_lost", job_id=job.id)
        else:
            work.result()

    async def _run(self, lease: JobLease) -> None:
        job, writer = lease.job, ResultWriter(self._database, lease)
        if job.attempts > MAX_ATTEMPTS:
            return await self._fail(job, JobInterrupted())
        try:
            await self._require_earlier_writes()
            await self._app(_scope_of(job), _receive_nothing, writer)
            await writer.flush()
        except LeaseLost:
            raise
        except ResultLimitExceeded:
            return await self._fail(job, ResultTooLarge())
        except Exception as error:
            if is_environment_fault(error):
                raise
            log.exception("job.failed", job_id=job.id)
            return await self._fail(job, Problem())
        if writer.status != 200:
            return await self._finish(job, "failed", problem=json.dumps(writer.problem()))
        return await self._finish(job, "done", headers=json.dumps(writer.headers))

    async def _require_earlier_writes(self) -> None:
        """Let the job read from the read replica if that has everything committed before the job was requested."""
        if isinstance(self._reads, ReadReplica):
            request_reads.set(RequestReads(position=await self._reads.position_after_writes()))

    async def _fail(self, job: Job, problem: Problem) -> None:
        body = {"status": problem.status, "code": problem.code, "detail": problem.detail}
        await self._finish(job, "failed", problem=json.dumps(body))

    async def _finish(self, job: Job, state: str, *, headers: str | None = None, problem: str | None = None) -> None:
        async with self._database.transaction() as session:
            finished = await queries.finish_job(session, job, state, headers=headers, problem=problem)
            url = job_path(self._database.schema, job.id)
            code = json.loads(problem)["code"] if problem else None
            event = self._definition.finished(job_id=job.id, url=url, problem_code=code, **finished)
            outbox.add(session, event)
            await self._definition.on_finished(session, event)
        log.info("job.finished", job_id=job.id, state=state)


def _scope_of(job: Job) -> Scope:
    """The request as its caller sent it, already authenticated and without the preference."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": job.path,
        "raw_path": job.path.encode(),
        "query_string": job.query.encode("latin-1"),
        "root_path": "",
        "headers": [],
        "client": None,
        "server": None,
        "state": {"principal": job.caller},
    }


async def _receive_nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
