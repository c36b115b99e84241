"""Reports that a deployment produces in the background."""

import asyncio

import aiohttp

from tests.faults.deployment import Deployment

JOB_TIMEOUT_SECONDS = 180


async def request_report(deployment: Deployment) -> str:
    """The path of the job."""
    headers = {**deployment.client._authorized({}), "Prefer": "respond-async"}
    async with (
        aiohttp.ClientSession(base_url=deployment.url) as http,
        http.get("/api/v1/reports/turnover", headers=headers) as response,
    ):
        assert response.status == 202, await response.text()
        return str((await response.json())["url"])


async def wait_until_done(deployment: Deployment, job: str) -> None:
    headers = deployment.client._authorized({})
    async with asyncio.timeout(JOB_TIMEOUT_SECONDS), aiohttp.ClientSession(base_url=deployment.url) as http:
        state = ""
        while state != "done":
            async with http.get(job, headers=headers) as response:
                if response.status == 200:
                    state = (await response.json())["state"]
                    assert state in ("queued", "running", "done")
            await asyncio.sleep(0.1)
