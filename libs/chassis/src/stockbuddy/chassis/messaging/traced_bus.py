"""A bus that records a span for each trace whose events it publishes or delivers; used only if tracing is on.

The spans of a consumer are children of the span in which the event was written, whose context the event carries
(CloudEvents extension `traceparent`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

from stockbuddy.chassis.messaging.bus import Bus, PublishExternally, Subscription
from stockbuddy.chassis.messaging.chunks import Chunk
from stockbuddy.chassis.messaging.message import Message

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import Attributes, ServiceTracing

# An event's attributes precede its data. The texts of data are escaped, so the pattern can't be part of one.
_TRACEPARENT = re.compile(r', "traceparent": "([0-9a-f-]{55})"')


class TracedBus:
    """`bus` with spans of the service that `tracing` belongs to."""

    def __init__(self, bus: Bus, tracing: ServiceTracing) -> None:
        self._bus = bus
        self._tracing = tracing

    async def start(self) -> None:
        await self._bus.start()

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        causes = [cause for chunk in chunks for cause in _TRACEPARENT.findall(chunk.body)]
        attributes: Attributes = {
            "messaging.operation.name": "publish",
            "messaging.batch.message_count": sum(len(chunk.types) for chunk in chunks),
        }
        with self._tracing.spans_of(causes, "publish events", SpanKind.PRODUCER, attributes):
            await self._bus.publish(chunks)

    @property
    def publish_externally(self) -> PublishExternally | None:
        return self._bus.publish_externally

    async def subscribe(self, subscription: Subscription) -> None:
        async def receive(messages: Sequence[Message]) -> None:
            causes = [message.headers.get("traceparent") for message in messages]
            attributes: Attributes = {
                "messaging.operation.name": "process",
                "messaging.destination.name": subscription.group,
                "messaging.batch.message_count": len(messages),
            }
            with self._tracing.spans_of(causes, f"process {subscription.group}", SpanKind.CONSUMER, attributes):
                await subscription.receive(messages)

        await self._bus.subscribe(replace(subscription, receive=receive))

    @property
    def is_ready(self) -> bool:
        return self._bus.is_ready

    async def close(self) -> None:
        await self._bus.close()
