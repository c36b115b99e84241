"""What is done once for several traces has a span in each; what fails is marked without its message."""

from collections.abc import AsyncIterator

import pytest
from opentelemetry.trace import SpanKind

from stockbuddy.chassis.runtime.service_traces import ServiceTracing
from stockbuddy.chassis.runtime.trace_context import current_traceparent, exemplar_from, sampled_contexts
from stockbuddy.chassis.runtime.traces import is_tracing_enabled, tracing_of
from stockbuddy.chassis.testing.otlp_collector import Collector, running_collector

FIRST, SECOND, UNSAMPLED = (
    f"00-{'1' * 32}-{'a' * 16}-01",
    f"00-{'2' * 32}-{'b' * 16}-01",
    f"00-{'3' * 32}-{'c' * 16}-00",
)


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with running_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


async def test_batch_has_a_span_in_each_sampled_trace(collector: Collector) -> None:
    tracing = ServiceTracing("probe")
    causes = [FIRST, SECOND, FIRST, UNSAMPLED, None, "not a context"]
    with tracing.spans_of(causes, "work", SpanKind.CONSUMER), tracing.span("part"):
        pass
    await tracing.close()
    first, second, part = sorted(collector.spans, key=lambda span: (span.name != "work", span.trace))
    assert [(span.trace, span.parent) for span in (first, second)] == [("1" * 32, "a" * 16), ("2" * 32, "b" * 16)]
    assert (part.trace, part.parent) == (first.trace, first.id)
    assert (first.links, second.links) == ((), (first.trace,))


async def test_exception_is_marked_by_its_type_only(collector: Collector) -> None:
    tracing = ServiceTracing("probe")
    with pytest.raises(ValueError), tracing.span("fails", parent={}):
        raise ValueError("grace@example.com")
    await tracing.close()
    [span] = collector.spans
    assert span.attributes == {"error.type": "ValueError"}
    assert "grace" not in str(span)


async def test_context_of_the_current_span_is_propagated(collector: Collector) -> None:
    tracing = ServiceTracing("probe")
    assert current_traceparent() is None
    with tracing.span("request", parent={"traceparent": FIRST}):
        inner = current_traceparent()
    await tracing.close()
    [span] = collector.spans
    assert inner == f"00-{'1' * 32}-{span.id}-01"
    assert exemplar_from(inner) == {"trace_id": "1" * 32, "span_id": span.id}
    assert exemplar_from(UNSAMPLED) is None
    assert not sampled_contexts([UNSAMPLED])


@pytest.mark.parametrize(
    ("variables", "enabled"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_standard_variables_switch_tracing_on(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], enabled: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_tracing_enabled() == enabled
    if not enabled:
        assert tracing_of("probe") is None
