"""Replicas are stopped one after the other, as in an upgrade, without failed requests."""

import signal
from collections.abc import Mapping
from typing import Any

import pytest

from stockbuddy.embedded.api_client import ApiClient, ApiResponse
from tests.faults.deployment import Deployment
from tests.faults.load import Load

pytestmark = pytest.mark.timeout(900)

REQUESTS_BETWEEN_STOPS = 20


class ClientWithoutRetries(ApiClient):
    """A transient failure fails the test."""

    async def _request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> ApiResponse:
        return await self._request_once(method, path, body, headers, query)


@pytest.mark.slow
async def test_rolling_restart_under_load_fails_no_request(replicated_deployment: Deployment) -> None:
    deployment = replicated_deployment
    client = ClientWithoutRetries(deployment.client._http, deployment.client._username, deployment.client._password)
    await client.log_in()
    load = Load(client, "stopped")
    await load.create_products()
    async with load.running():
        await load.wait_until_acknowledged(REQUESTS_BETWEEN_STOPS)
        for program in deployment.programs.values():
            if program.name != "gateway":
                starts = program.starts
                program.signal(signal.SIGTERM)
                await program.wait_for_start_after(starts)
                await deployment.wait_until_ready(program.name)
                await load.wait_until_acknowledged(REQUESTS_BETWEEN_STOPS)
    await deployment.verifier.verify("SIGTERM of every service in turn", load)
