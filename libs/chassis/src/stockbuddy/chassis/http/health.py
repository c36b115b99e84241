"""Health endpoints: live while the process answers, ready while every dependency does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[None]]
"""A health check: returns if healthy, raises otherwise."""

CHECK_TIMEOUT_SECONDS = 2


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`/health/live` and `/health/ready`. The latter names the parts that are not ready, but no cause: it is public."""
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> JSONResponse:
        outcomes = await asyncio.gather(*(_is_healthy(check) for check in checks.values()))
        parts = {name: "ok" if healthy else "unavailable" for name, healthy in zip(checks, outcomes, strict=True)}
        is_ready = all(outcomes)
        return JSONResponse({"status": "ok" if is_ready else "unavailable", "parts": parts}, 200 if is_ready else 503)

    return router


async def _is_healthy(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await check()
    except Exception:
        return False
    return True
