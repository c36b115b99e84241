"""Records the spans of one service with OpenTelemetry's SDK; imported only if tracing is on.

Several services may run in one process, so that each has a provider of its own and none is global. The sampler, the
limits and the exporter follow the standard `OTEL_…` variables.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, use_span
from opentelemetry.util.types import AttributeValue

from stockbuddy.chassis.runtime.release import VERSION
from stockbuddy.chassis.runtime.trace_context import remote_context, sampled_contexts

NAMESPACE = "stockbuddy"
CLOSE_TIMEOUT_SECONDS = 2.0

Attributes = Mapping[str, AttributeValue]


class ServiceTracing:
    """The spans of one service. A trace context is a `traceparent` (W3C Trace Context) wherever it leaves a task."""

    def __init__(self, service: str) -> None:
        resource = Resource.create(
            {"service.name": service, "service.namespace": NAMESPACE, "service.version": VERSION}
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter: SpanExporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(f"{NAMESPACE}.{service}", VERSION)

    async def close(self) -> None:
        """Export the spans that wait. A collector that does not accept them delays no shutdown: they are dropped."""
        closing = asyncio.create_task(asyncio.to_thread(self._provider.shutdown))
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_SECONDS)
        if not closing.done():
            self._exporter.shutdown()  # ends the repetitions of the current export
        await closing

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Mapping[str, str] | None = None,
        attributes: Attributes | None = None,
    ) -> Iterator[Span]:
        """A span that is current while the block runs. `parent`: `traceparent` and perhaps `tracestate`; an empty
        mapping begins a trace, None continues the current one."""
        context = None if parent is None else remote_context(parent)
        span = self._tracer.start_span(name, context=context, kind=kind, attributes=attributes)
        with _current(span):
            yield span

    @contextmanager
    def spans_of(
        self, causes: Iterable[str | None], name: str, kind: SpanKind, attributes: Attributes | None = None
    ) -> Iterator[None]:
        """A span in the trace of each of `causes` (values of `traceparent`) for what is done once for all of them.
        While the block runs the first is the current one; the others link to it."""
        parents = sampled_contexts(causes)
        with ExitStack() as stack:
            links: list[Link] = []
            for parent in parents:
                span = self._tracer.start_span(name, context=parent, kind=kind, attributes=attributes, links=links)
                if not links:
                    links.append(Link(span.get_span_context()))
                    stack.enter_context(_current(span))
                else:
                    stack.callback(span.end)
            yield

    def completed(self, name: str, *, start_ns: int, end_ns: int, kind: SpanKind, attributes: Attributes) -> None:
        """A child of the current span that has ended already."""
        span = self._tracer.start_span(name, kind=kind, attributes=attributes, start_time=start_ns)
        span.end(end_ns)


@contextmanager
def _current(span: Span) -> Iterator[None]:
    """Make `span` the current one, and end it with the block. Of an exception it records the type only: a message may
    contain personal data."""
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR))
            raise
