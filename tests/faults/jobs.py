"""Reports and exports that a deployment produces in the background, and what they must have led to."""

import asyncio
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from tests.faults.deployment import Deployment

JOB_TIMEOUT_SECONDS = 180
TURNOVER = "/api/v1/reports/turnover"

_DONE = "SELECT count(*) FROM {service}.job WHERE id = ANY($1) AND state = 'done'"
_REPEATED = "SELECT count(*) FROM {service}.job WHERE id = ANY($1) AND attempts > 1"
_ATTEMPTS_WITH_RESULT = "SELECT count(DISTINCT (job_id, runner)) FROM {service}.job_result WHERE job_id = ANY($1)"
_FINISHED = """
    SELECT count(*) FROM notifications.event_log
    WHERE type = $2 AND CAST(data->>'job_id' AS bigint) = ANY($1) AND data->>'state' = 'done'
"""


@dataclass(frozen=True)
class VerifiedJobs:
    """Counts of jobs. `repeated`: by a second worker."""

    fault: str
    requested: int
    done: int
    lost: int
    duplicated: int
    repeated: int

    def __str__(self) -> str:
        names = ("requested", "done", "lost", "duplicated", "repeated")
        return f"{self.fault}: " + ", ".join(f"{name} {getattr(self, name)}" for name in names)


async def send(
    deployment: Deployment,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, bytes]:
    """Status and body of one request of the deployment's user, with a new token if the former has expired."""
    async with aiohttp.ClientSession(base_url=deployment.url) as http:
        for _ in range(2):
            authorized = deployment.client._authorized(headers or {})
            data = None if body is None else io.BytesIO(body)
            async with http.request(method, path, headers=authorized, data=data) as response:
                status, content = response.status, await response.read()
            if status != 401:
                break
            await deployment.client.log_in()
    return status, content


async def request_job(deployment: Deployment, path: str) -> str:
    """The path of the job that produces the response to a GET."""
    status, content = await send(deployment, "GET", path, headers={"Prefer": "respond-async"})
    assert status == 202, content
    return str(json.loads(content)["url"])


async def wait_until_done(deployment: Deployment, job: str, *, done: str = "done") -> None:
    """`job`: the path of a job, or of an import, whose last state is `finished`."""
    async with asyncio.timeout(JOB_TIMEOUT_SECONDS):
        state = ""
        while state != done:
            status, content = await send(deployment, "GET", job)
            if status == 200:
                state = json.loads(content)["state"]
                assert state in ("queued", "running", done), content
            await asyncio.sleep(0.1)


async def read(deployment: Deployment, path: str) -> bytes:
    status, content = await send(deployment, "GET", path)
    assert status == 200, content
    return content


async def verify_jobs(fault: str, deployment: Deployment, service: str, jobs: Sequence[str], path: str) -> VerifiedJobs:
    """Assert that each job, the request of `path`, was done once, with one event and the whole result. Everything is
    published and processed."""
    ids = [int(job.rpartition("/")[2]) for job in jobs]
    value = deployment.verifier.value
    expected = await read(deployment, path)
    complete = [await read(deployment, f"{job}/result") == expected for job in jobs]
    events = await value(_FINISHED, ids, f"{service}.job.finished")
    stored = await value(_ATTEMPTS_WITH_RESULT.format(service=service), ids)
    verified = VerifiedJobs(
        fault,
        requested=len(jobs),
        done=await value(_DONE.format(service=service), ids),
        lost=complete.count(False) + max(0, len(jobs) - events),
        duplicated=max(0, events - len(jobs)) + max(0, stored - len(jobs)),
        repeated=await value(_REPEATED.format(service=service), ids),
    )
    print(f"\n{verified}")
    assert len(set(jobs)) == verified.requested == verified.done
    assert (verified.lost, verified.duplicated) == (0, 0)
    return verified
