"""Replicas are stopped one after the other, as in an upgrade, without failed requests."""

import signal

import pytest

from tests.faults.deployment import Deployment
from tests.faults.load import Load, without_retries

pytestmark = pytest.mark.timeout(900)

REQUESTS_BETWEEN_STOPS = 20


@pytest.mark.slow
async def test_rolling_restart_under_load_fails_no_request(replicated_deployment: Deployment) -> None:
    deployment = replicated_deployment
    load = Load(await without_retries(deployment.client), "stopped")
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
