"""What surrounds every request to a service (pure ASGI): its origin, its measures, its line in the log, and, where the
service fails, an answer without stack traces, SQL or internal addresses."""

import re
import time

import structlog
import uuid_utils
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockbuddy.chassis import metrics
from stockbuddy.chassis.database import is_database_away
from stockbuddy.chassis.errors import Problem, Unavailable, problem_response
from stockbuddy.chassis.origin import Origin, originating

log = structlog.get_logger(__name__)

FAILURE = "Something went wrong on our side; the request id helps to find it."
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id_from(headers: Headers) -> str:
    """The caller's request id if it is one that may stand in logs and headers, otherwise a new one."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())


def _problem_of(error: Exception) -> Problem:
    """A request that lost its database may be sent again; whatever else happened is our fault."""
    return Unavailable() if is_database_away(error) else Problem(FAILURE)


class RequestContext:
    """Behind the gateway: `X-Forwarded-For` is one address, set by the gateway and by nobody else."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        client = scope.get("client")
        origin = Origin(
            client_ip=headers.get("x-forwarded-for") or (client[0] if client else None),
            request_id=request_id_from(headers),
            traceparent=headers.get("traceparent"),
        )
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = origin.request_id or ""
            await send(message)

        with originating(origin):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                problem = _problem_of(error)
                if isinstance(problem, Unavailable):
                    log.warning("request.database_away", path=scope["path"], error=repr(error))
                else:
                    log.exception("request.failed", method=scope["method"], path=scope["path"])
                if status:
                    raise  # Half an answer has left already; cutting it off is the only way to say so.
                await problem_response(problem)(scope, receive, send_with_id)
            finally:
                self._measure(scope, status, time.perf_counter() - started)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        metrics.REQUESTS.labels(self._service, scope["method"], route, status).inc()
        metrics.REQUEST_SECONDS.labels(self._service, scope["method"], route).observe(seconds)
        log.debug(
            "request.answered",
            service=self._service,
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(seconds * 1000, 2),
        )
