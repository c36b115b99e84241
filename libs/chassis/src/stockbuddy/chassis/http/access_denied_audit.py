"""Records the 403s of a service as AccessDenied events: the first in each minute per caller, route and code, so that a
client cannot make the audit log grow without limit."""

import time
from collections import OrderedDict

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
AGGREGATION_SECONDS = 60.0
MAX_AGGREGATED = 10_000

DenialKey = tuple[str, str, str, str]
"""Caller, method, route and code: the route and not the path, of which there are as many as a client likes."""


class _Denial:
    """A recorded denial, and how often it has been repeated since."""

    def __init__(self) -> None:
        self.recorded_at = time.monotonic()
        self.repetitions = 0


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
    """How often the denial was repeated since it was last recorded; None if that was less than a minute ago."""
    state = request.app.state
    if not hasattr(state, "denials"):
        state.denials = OrderedDict()
    denials: OrderedDict[DenialKey, _Denial] = state.denials
    context, route = current_event_context(), request.scope.get("route")
    caller = f"user/{context.actor_id}" if context.actor_id is not None else f"address/{context.client_ip}"
    key = (caller, request.method, getattr(route, "path", ""), error.code)
    last = denials.get(key)
    if last is not None and time.monotonic() - last.recorded_at < AGGREGATION_SECONDS:
        last.repetitions += 1
        return None
    denials[key] = _Denial()
    denials.move_to_end(key)
    if len(denials) > MAX_AGGREGATED:
        denials.popitem(last=False)
    return last.repetitions if last is not None else 0


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
