"""Records the 403s of a service as AccessDenied events: the first in each minute per caller, route and code, so that a
client cannot make the audit log grow without limit."""

import structlog
from fastapi import Request
from starlette.responses import Response

from stockbuddy.chassis.http.errors import Forbidden, problem_response
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.event_context import current_event_context
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter
from stockbuddy.contracts.auth import AccessDenied

log = structlog.get_logger(__name__)

MAX_PATH_LENGTH = 200


async def record_and_respond(request: Request, error: Exception) -> Response:
    """Exception handler for `Forbidden`. The response is sent even if the denial can't be recorded."""
    assert isinstance(error, Forbidden)
    try:
        repetitions = _count(request, error)
        if repetitions is not None:
            await _record(request, error, repetitions)
    except Exception:
        log.exception("denial.not_recorded", path=request.url.path)
    return problem_response(error)


def _count(request: Request, error: Forbidden) -> int | None:
    """Counts by the route and not the path, of which there are as many as a client likes."""
    denials: RepetitionCounter = request.app.state.denials
    context, route = current_event_context(), request.scope.get("route")
    caller = f"user/{context.actor_id}" if context.actor_id is not None else f"address/{context.client_ip}"
    return denials.count((caller, request.method, getattr(route, "path", ""), error.code))


async def _record(request: Request, error: Forbidden, repetitions: int) -> None:
    """Use a new transaction: the request's was rolled back."""
    database = get_resources(request).database
    denied = AccessDenied(
        service=database.schema,
        method=request.method,
        path=request.url.path[:MAX_PATH_LENGTH],
        code=error.code,
        user_id=current_event_context().actor_id,
        repetitions=repetitions,
    )
    async with database.transaction() as session:
        outbox.add(session, denied)
