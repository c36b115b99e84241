"""One report to auth."""

import asyncio
from typing import Any

import structlog

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.gateway.upstream.port import Upstream, ask

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 5.0


async def is_told(auth: Upstream, path: str, document: dict[str, Any]) -> bool:
    """False when auth did not take the report in, so that it may be told again."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reply = await ask(auth, "POST", path, document=document)
    except (Problem, OSError, TimeoutError) as error:
        log.warning("report.failed", report=path, error=repr(error))
        return False
    if reply.status == 422:
        log.error("report.refused", report=path)  # telling it again would change nothing
        return True
    if not 200 <= reply.status < 300:
        log.warning("report.failed", report=path, status=reply.status)
        return False
    return True
