"""The pipeline with a span for each request to a service; used only if tracing is on. The client's trace, if it sends
one, continues; otherwise one begins here, and the sampler decides about it for all services.

Addresses, callers and query strings, which may be personal, are not recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from stockbuddy.chassis.runtime.trace_context import current_traceparent
from stockbuddy.gateway.pipeline import Pipeline
from stockbuddy.gateway.proxy.response_writer import ResponseWriter

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing
    from stockbuddy.gateway.endpoints import Endpoint
    from stockbuddy.gateway.proxy.websocket_writer import WebSocketWriter
    from stockbuddy.gateway.request import GatewayRequest

TRACEPARENT = b"traceparent"
TRACESTATE = b"tracestate"


class TracedPipeline(Pipeline):
    """`parts`: those of the plain pipeline."""

    def __init__(self, tracing: ServiceTracing, *parts: Any) -> None:
        super().__init__(*parts)
        self._tracing = tracing

    async def _serve(
        self, request: GatewayRequest, writer: ResponseWriter | WebSocketWriter, endpoint: Endpoint | None = None
    ) -> None:
        if endpoint is not None or not isinstance(writer, ResponseWriter):
            await super()._serve(request, writer, endpoint)
            return
        with self._tracing.span(request.method, kind=SpanKind.SERVER, parent=_context_of(request)) as span:
            request.headers.parsed[TRACEPARENT] = (current_traceparent() or "").encode()
            try:
                await super()._serve(request, writer)
            finally:
                _describe(span, request, writer.status)


def _context_of(request: GatewayRequest) -> dict[str, str]:
    """What the client sends; empty if it is invalid."""
    headers = request.headers
    if headers.traceparent is None:
        return {}
    return {"traceparent": headers.traceparent.decode(), "tracestate": headers.parsed.get(TRACESTATE, b"").decode()}


def _describe(span: Span, request: GatewayRequest, status: int) -> None:
    route = request.route.path
    span.update_name(f"{request.method} {route}")
    span.set_attributes({
        "http.request.method": request.method,
        "http.route": route,
        "http.response.status_code": status,
        "stockbuddy.upstream": request.route.service,
        "stockbuddy.request_id": request.headers.request_id.decode(),
    })  # fmt: skip
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
