"""An OTLP/HTTP collector on a free port of 127.0.0.1 that keeps the spans it receives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

DEADLINE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """`parent`: the id of its parent, empty for the first span of a trace; `links`: ids of traces."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    links: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.service}: {self.name}"


@dataclass
class Collector:
    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = ExportTraceServiceRequest.FromString(await request.read())
        for of_service in body.resource_spans:
            service = {a.key: a.value.string_value for a in of_service.resource.attributes}["service.name"]
            for scope in of_service.scope_spans:
                self.spans += [_received(service, span) for span in scope.spans]
        async with self._arrived:
            self._arrived.notify_all()
        return web.Response(content_type="application/x-protobuf")

    async def until(self, wanted: Callable[[Sequence[ReceivedSpan]], bool]) -> list[ReceivedSpan]:
        """All spans so far, once they are what the test waits for."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._arrived:
                await self._arrived.wait_for(lambda: wanted(self.spans))
        except TimeoutError:
            raise AssertionError(sorted({str(span) for span in self.spans})) from None
        return list(self.spans)


def _received(service: str, span: Span) -> ReceivedSpan:
    return ReceivedSpan(
        service=service,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes={a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value") for a in span.attributes},
        links=tuple(link.trace_id.hex() for link in span.links),
    )


@contextlib.asynccontextmanager
async def running_collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()
