"""Middleware around every request to a service (pure ASGI): event context, metrics, access log, consistency token, and
a response without stack trace, SQL or internal addresses if the service fails."""

import asyncio
import re
import time

import structlog
import uuid_utils
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockbuddy.chassis.http.consistency import CONSISTENCY_HEADER
from stockbuddy.chassis.http.errors import Problem, Unavailable, problem_response
from stockbuddy.chassis.http.request_bodies import check_body_headers
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.access_log import AccessLog
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.chassis.runtime.failures import classify
from stockbuddy.chassis.runtime.outages import OutageLog

log = structlog.get_logger(__name__)

FAILURE_DETAIL = "Internal error. Report the request id."
INTERRUPTED_DETAIL = "The request was interrupted; whether it took effect is unknown."
RETRY_AFTER_SECONDS = 2
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00. Any other value would travel in events, which consumers reject if it is too long."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id_from(headers: Headers) -> str:
    """The client's request id if it is safe in logs and headers, otherwise a new one (UUIDv7)."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())


def traceparent_from(headers: Headers) -> str | None:
    given = headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else None


class RequestContextMiddleware:
    """Sets request id, client address and log context. Trusts `X-Forwarded-For`: only the gateway can reach this port,
    and it replaces the header."""

    def __init__(self, app: ASGIApp, *, service: str, access_log: AccessLog) -> None:
        self._app = app
        self._service = service
        self._access_log = access_log
        self._outage = OutageLog("request.dependency_unavailable", service=service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        client = scope.get("client")
        context = EventContext(
            client_ip=headers.get("x-forwarded-for") or (client[0] if client else None),
            request_id=request_id_from(headers),
            traceparent=self._traceparent(headers),
        )
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own_headers = [(b"x-request-id", (context.request_id or "").encode())]
                if context.event_ids and status < 400:
                    own_headers.append((CONSISTENCY_HEADER.lower().encode(), context.consistency_token.encode()))
                message = {**message, "headers": [*message.get("headers", ()), *own_headers]}
            await send(message)

        with event_context(context):
            try:
                receive = await check_body_headers(headers, receive)
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                log.debug("request.client_disconnected", path=scope["path"])
            except (Exception, asyncio.CancelledError) as error:
                problem = self._to_problem(error, scope)
                if status:
                    raise  # The response has started: closing the connection is the only way to signal the failure.
                await problem_response(problem)(scope, receive, send_with_id)
                if isinstance(error, asyncio.CancelledError):
                    raise
            finally:
                self._report(scope, status, time.perf_counter() - started, context.request_id or "")

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Logged at its end, with the status of the handshake."""
        started, status = time.perf_counter(), 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = status or (101 if message["type"] == "websocket.accept" else message.get("status", 0))
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            seconds = time.perf_counter() - started
            self._log(scope, "WEBSOCKET", status, seconds, request_id_from(Headers(scope=scope)))

    def _to_problem(self, error: BaseException, scope: Scope) -> Problem:
        """503 (retryable) by the environment's fault, else 500. The server cancels requests that outlast the grace
        period of a shutdown, and would respond with a text of its own."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, asyncio.CancelledError):
            return Unavailable(INTERRUPTED_DETAIL)
        if (failure := classify(error)).is_environment:
            self._outage.record(error)
            return Unavailable(f"Temporarily unavailable ({failure}).", retry_after_seconds=RETRY_AFTER_SECONDS)
        log.error("request.failed", method=scope["method"], path=scope["path"], exc_info=error)
        return Problem(FAILURE_DETAIL)

    def _traceparent(self, headers: Headers) -> str | None:
        return traceparent_from(headers)

    def _report(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        method = scope["method"]
        self._measure(method, _route_of(scope), status, seconds)
        self._log(scope, method, status, seconds, request_id)

    def _measure(self, method: str, route: str, status: int, seconds: float) -> None:
        metrics.REQUESTS.labels(self._service, method, route, status).inc()
        metrics.REQUEST_DURATION_SECONDS.labels(self._service, method, route).observe(seconds)

    def _log(self, scope: Scope, method: str, status: int, seconds: float, request_id: str) -> None:
        caller = _name_of(scope.get("state", {}).get("principal"))
        self._access_log.record(method, scope["path"], _route_of(scope), status, seconds, caller, request_id)


def _route_of(scope: Scope) -> str:
    """The template of the path."""
    return getattr(scope.get("route"), "path", "unknown")


def _name_of(principal: Principal | None) -> str | None:
    """As the gateway names callers in its log and metrics."""
    if principal is None or not principal.is_user_session:
        return principal.credential if principal else None
    return f"user:{principal.user_id}"
