"""Health endpoints: live while the process answers, ready while every essential dependency does."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from stockbuddy.chassis.runtime.failures import UNREACHABLE, classify

Check = Callable[[], Awaitable[None]]
"""A health check: returns if healthy, raises otherwise."""

CHECK_TIMEOUT_SECONDS = 2
OK = "ok"


def health_router(checks: Mapping[str, Check], *, essential: Collection[str]) -> APIRouter:
    """`/health/live` and `/health/ready`. The latter names the state of every part, `ok` or a reason code of
    `runtime.failures`, and no details: it is public. Without an essential part the service is unavailable (503),
    without another one degraded: it serves requests, and 200 keeps it in rotation."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/health/live", methods=["GET", "HEAD"])
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/health/ready", methods=["GET", "HEAD"])
    async def ready() -> JSONResponse:
        states = await asyncio.gather(*(_state(check) for check in checks.values()))
        parts = dict(zip(checks, states, strict=True))
        failed = [part for part, state in parts.items() if state != OK]
        if any(part in essential for part in failed):
            return JSONResponse({"status": "unavailable", "parts": parts}, 503)
        return JSONResponse({"status": "degraded" if failed else OK, "parts": parts})

    return router


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await check()
    except Exception as error:
        failure = classify(error)
        return failure.reason if failure.is_environment else UNREACHABLE
    return OK
