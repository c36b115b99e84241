"""Serves replay requests: publishes the archived events of a service to the one queue that requested them.

This refills a queue that was lost with its messages; the inbox drops events that its group has handled before.
"""

import json
from collections.abc import Sequence

import structlog

from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, Message, Subscription
from stockbuddy.chassis.messaging.bus.amqp.publisher import Publisher
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.contracts.topology import refill_key, replay_queue

log = structlog.get_logger(__name__)


class ArchiveReplayer:
    """Serves the replay requests to one producer."""

    def __init__(self, publisher: Publisher, archive: Archive, *, producer: str) -> None:
        self._publisher = publisher
        self._archive = archive
        self._producer = producer

    def subscription(self) -> Subscription:
        return Subscription(
            group=replay_queue(self._producer),
            receive=self._replay,
            wait_until_ready=self._archive.wait_until_ready,
            lanes=1,
            batch_size=1,
        )

    async def _replay(self, requests: Sequence[Message]) -> None:
        for request in requests:
            try:
                requested = json.loads(request.body)
                queue, patterns = str(requested["queue"]), list(map(str, requested["patterns"]))
            except (ValueError, KeyError, TypeError) as error:
                log.error("bus.replay_request_unreadable", producer=self._producer, error=repr(error))
                continue  # acknowledged: it would be unreadable forever
            key = refill_key(self._producer, queue)
            sent = 0
            try:
                async for messages in self._archive.read(patterns):
                    await self._publisher.publish(messages, refill_key=key)
                    sent += len(messages)
            except BusUnavailable as error:
                raise ConsumerUnavailable(str(error)) from error
            except Exception as error:
                if is_environment_fault(error):
                    raise ConsumerUnavailable(repr(error)) from error
                raise
            log.info("bus.replayed", producer=self._producer, queue=queue, events=sent)
