"""Trace contexts as they leave a task: `traceparent` (W3C Trace Context) in headers, events and rows. Needs only
OpenTelemetry's API, which FastAPI imports in any case."""

from collections.abc import Iterable, Mapping

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def remote_context(carrier: Mapping[str, str]) -> Context:
    """The context that a caller or producer has sent: `traceparent`, perhaps with `tracestate`; empty if invalid."""
    return _PROPAGATOR.extract(dict(carrier), context=Context())


def sampled_contexts(traceparents: Iterable[str | None]) -> list[Context]:
    """One for each sampled trace, with the first span of it that is named."""
    found: dict[int, Context] = {}
    for traceparent in dict.fromkeys(traceparents):
        if traceparent is not None:
            context = remote_context({"traceparent": traceparent})
            caused_by = get_current_span(context).get_span_context()
            if caused_by.is_valid and caused_by.trace_flags.sampled:
                found.setdefault(caused_by.trace_id, context)
    return list(found.values())


def current_traceparent() -> str | None:
    """Of the current span; None without one, for instance if tracing is off."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def exemplar_from(traceparent: str | None) -> dict[str, str] | None:
    """Labels of an OpenMetrics exemplar; None if the trace is not sampled."""
    for context in sampled_contexts([traceparent]):
        span = get_current_span(context).get_span_context()
        return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
    return None
