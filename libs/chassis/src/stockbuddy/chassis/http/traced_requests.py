"""The request context with a span for each request that belongs to a trace; used only if tracing is on.

The gateway begins traces; a service continues that of the request's `traceparent`. Calls without one, such as health
checks, have no span. Addresses, users and query strings, which may be personal, are not recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stockbuddy.chassis.http.request_context import RequestContextMiddleware, traceparent_from
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.access_log import AccessLog
from stockbuddy.chassis.runtime.trace_context import current_traceparent, exemplar_from

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing


class TracedRequests(RequestContextMiddleware):
    """Events of the request carry its span's context instead of the caller's."""

    def __init__(self, app: ASGIApp, *, service: str, access_log: AccessLog, tracing: ServiceTracing) -> None:
        super().__init__(app, service=service, access_log=access_log)
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        if headers is None or traceparent_from(headers) is None:
            await super().__call__(scope, receive, send)
            return
        with self._tracing.span(scope["method"], kind=SpanKind.SERVER, parent=headers):
            await super().__call__(scope, receive, send)

    def _traceparent(self, headers: Headers) -> str | None:
        return current_traceparent() or super()._traceparent(headers)

    def _measure(self, method: str, route: str, status: int, seconds: float) -> None:
        span = get_current_span()
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        metrics.REQUESTS.labels(self._service, method, route, status).inc()
        duration = metrics.REQUEST_DURATION_SECONDS.labels(self._service, method, route)
        duration.observe(seconds, exemplar_from(current_traceparent()))
