"""Keeps the gateway's clock, which has no database, at the time of auth's database server."""

import time

from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.contracts.internal import CLOCK_PATH, ClockResponse
from stockbuddy.gateway.proxy.client import call
from stockbuddy.gateway.proxy.upstream import Upstream

TIMEOUT_SECONDS = 2.0


def auth_clock_worker(auth: Upstream) -> PollingWorker:
    async def synchronise() -> None:
        sent_at = time.monotonic()
        response = await call(auth, "GET", CLOCK_PATH, timeout_seconds=TIMEOUT_SECONDS)
        received_at = time.monotonic()
        if response.status == 404:
            return  # an earlier release of auth
        if response.status != 200:
            raise DependencyUnavailable(f"auth responded to {CLOCK_PATH} with {response.status}")
        server_time = ClockResponse.model_validate_json(response.body).seconds
        clock.company_clock().synchronise(server_time, sent_at=sent_at, received_at=received_at)

    return PollingWorker("clock", synchronise, interval_seconds=clock.SYNCHRONISATION_INTERVAL_SECONDS)
