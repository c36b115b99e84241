"""Health: live while the process answers, ready while every part that it needs does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[None]]
"""Returns when its part is well, raises when it is not."""

CHECK_SECONDS = 2


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`/health/live` and `/health/ready`; the latter says which part is not ready, and nothing about why."""
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> JSONResponse:
        outcomes = await asyncio.gather(*(_is_well(check) for check in checks.values()))
        parts = {name: "ok" if well else "unavailable" for name, well in zip(checks, outcomes, strict=True)}
        well = all(outcomes)
        return JSONResponse({"status": "ok" if well else "unavailable", "parts": parts}, 200 if well else 503)

    return router


async def _is_well(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception:
        return False
    return True
