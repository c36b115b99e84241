"""Records every 403 of a service as an AccessDenied event."""

import structlog
from fastapi import Request
from starlette.responses import Response

from stockbuddy.chassis.http.errors import Forbidden, problem_response
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.event_context import current_event_context
from stockbuddy.contracts.auth import AccessDenied

log = structlog.get_logger(__name__)

MAX_PATH_LENGTH = 200


async def record_and_respond(request: Request, error: Exception) -> Response:
    """Exception handler for `Forbidden`. The response is sent even if the denial can't be recorded."""
    assert isinstance(error, Forbidden)
    try:
        await _record(request, error)
    except Exception:
        log.exception("denial.not_recorded", path=request.url.path)
    return problem_response(error)


async def _record(request: Request, error: Forbidden) -> None:
    """Use a new transaction: the request's was rolled back."""
    database = get_resources(request).database
    denied = AccessDenied(
        service=database.schema,
        method=request.method,
        path=request.url.path[:MAX_PATH_LENGTH],
        code=error.code,
        user_id=current_event_context().actor_id,
    )
    async with database.transaction() as session:
        outbox.add(session, denied)
