"""Puts every 403 on record, in every service: somebody known tried what they may not do."""

import structlog
from fastapi import Request
from starlette.responses import Response

from stockbuddy.chassis import outbox
from stockbuddy.chassis.database import Database
from stockbuddy.chassis.errors import Forbidden, problem_response
from stockbuddy.chassis.origin import current_origin
from stockbuddy.contracts.auth import AccessDenied

log = structlog.get_logger(__name__)

LONGEST_PATH = 200


async def answer_forbidden(request: Request, error: Exception) -> Response:
    """The exception handler for `Forbidden`. A denial that can't be recorded is still a denial."""
    assert isinstance(error, Forbidden)
    try:
        await _record(request, error)
    except Exception:
        log.exception("denial.not_recorded", path=request.url.path)
    return problem_response(error)


async def _record(request: Request, refusal: Forbidden) -> None:
    """In a transaction of its own: that of the request was rolled back."""
    database: Database = request.app.state.database
    denied = AccessDenied(
        service=database.schema,
        method=request.method,
        path=request.url.path[:LONGEST_PATH],
        code=refusal.code,
        user_id=current_origin().actor_id,
    )
    async with database.transaction() as session:
        outbox.add(session, denied)
