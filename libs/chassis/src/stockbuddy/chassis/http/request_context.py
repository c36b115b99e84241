"""Middleware around every request to a service (pure ASGI): event context, metrics, log line, and a response without
stack trace, SQL or internal addresses if the service fails."""

import re
import time

import structlog
import uuid_utils
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem, Unavailable, problem_response
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.chassis.runtime.failures import is_connection_error

log = structlog.get_logger(__name__)

FAILURE_DETAIL = "Internal error. Report the request id."
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id_from(headers: Headers) -> str:
    """The client's request id if it is safe in logs and headers, otherwise a new one (UUIDv7)."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())


def _to_problem(error: Exception) -> Problem:
    """503 (retryable) if the database was unreachable, else 500."""
    return Unavailable() if is_connection_error(error) else Problem(FAILURE_DETAIL)


class RequestContextMiddleware:
    """Sets request id, client address and log context. Trusts `X-Forwarded-For`: only the gateway can reach this port,
    and it replaces the header."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        client = scope.get("client")
        context = EventContext(
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
                MutableHeaders(scope=message)["X-Request-ID"] = context.request_id or ""
            await send(message)

        with event_context(context):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                problem = _to_problem(error)
                if isinstance(problem, Unavailable):
                    log.warning("request.database_unavailable", path=scope["path"], error=repr(error))
                else:
                    log.exception("request.failed", method=scope["method"], path=scope["path"])
                if status:
                    raise  # The response has started: closing the connection is the only way to signal the failure.
                await problem_response(problem)(scope, receive, send_with_id)
            finally:
                self._measure(scope, status, time.perf_counter() - started)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        metrics.REQUESTS.labels(self._service, scope["method"], route, status).inc()
        metrics.REQUEST_DURATION_SECONDS.labels(self._service, scope["method"], route).observe(seconds)
        log.debug(
            "request.completed",
            service=self._service,
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(seconds * 1000, 2),
        )
