"""A delivery attempt with a span in the trace of the event's cause; used only if tracing is on. The receiver gets the
span's context. Of the URL, which may contain a secret, only the host is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from opentelemetry.trace import SpanKind, Status, StatusCode

from stockbuddy.chassis.runtime.trace_context import current_traceparent
from stockbuddy.notifications.webhooks.attempt import AttemptResult, PendingDelivery, attempt_delivery

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing


async def attempt_traced(
    tracing: ServiceTracing, client: aiohttp.ClientSession, delivery: PendingDelivery
) -> AttemptResult:
    """Like `attempt_delivery`. A test has no cause and no span."""
    if delivery.traceparent is None:
        return await attempt_delivery(client, delivery)
    parent = {"traceparent": delivery.traceparent}
    with tracing.span("deliver webhook", kind=SpanKind.CLIENT, parent=parent) as span:
        result = await attempt_delivery(client, delivery, {"traceparent": current_traceparent() or ""})
        span.set_attributes({
            "http.request.method": "POST",
            "server.address": urlsplit(delivery.url).hostname or "",
            "stockbuddy.webhook.attempt": delivery.attempt,
        })  # fmt: skip
        if result.status_code is not None:
            span.set_attribute("http.response.status_code", result.status_code)
        if not result.is_success:
            span.set_status(Status(StatusCode.ERROR))
        return result
