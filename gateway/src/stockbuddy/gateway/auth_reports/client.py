"""Sends one report to auth."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from pydantic import BaseModel

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.gateway.proxy.client import AuthClient

log = structlog.get_logger(__name__)

REPORT_TIMEOUT_SECONDS = 5.0
FINAL_REPORT_TIMEOUT_SECONDS = 2.0


async def post_report(auth: AuthClient, path: str, report: BaseModel) -> None:
    """Raises DependencyUnavailable if the report must be sent again."""
    response = await auth.call("POST", path, body=report, timeout_seconds=REPORT_TIMEOUT_SECONDS)
    if response.status == 422:
        log.error("report.rejected", report=path)  # sending it again would not help
    elif not 200 <= response.status < 300:
        raise DependencyUnavailable(f"auth responded to {path} with {response.status}")


async def send_final_report(send: Callable[[], Awaitable[None]]) -> None:
    """When the gateway stops: one attempt, which must not delay the shutdown."""
    try:
        async with asyncio.timeout(FINAL_REPORT_TIMEOUT_SECONDS):
            await send()
    except (DependencyUnavailable, TimeoutError) as error:
        log.warning("report.failed", error=repr(error))
