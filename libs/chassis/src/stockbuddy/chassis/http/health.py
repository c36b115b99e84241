"""Health endpoints: live while the process answers, ready while every dependency does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from stockbuddy.chassis.runtime.failures import UNREACHABLE, classify

Check = Callable[[], Awaitable[None]]
"""A health check: returns if healthy, raises otherwise."""

CHECK_TIMEOUT_SECONDS = 2
OK = "ok"


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`/health/live` and `/health/ready`. The latter names the parts that are not ready with a reason code
    of `runtime.failures`, and no details: it is public."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/health/live", methods=["GET", "HEAD"])
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/health/ready", methods=["GET", "HEAD"])
    async def ready() -> JSONResponse:
        states = await asyncio.gather(*(_state(check) for check in checks.values()))
        parts = dict(zip(checks, states, strict=True))
        is_ready = all(state == OK for state in states)
        return JSONResponse({"status": "ok" if is_ready else "unavailable", "parts": parts}, 200 if is_ready else 503)

    return router


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await check()
    except Exception as error:
        failure = classify(error)
        return failure.reason if failure.is_environment else UNREACHABLE
    return OK
