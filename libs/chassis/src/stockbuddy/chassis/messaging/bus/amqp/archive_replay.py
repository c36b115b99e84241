"""Serves replay requests: publishes the archived events of a service to the one queue that requested them.

This refills a queue that was lost with its messages; the inbox drops events that its group has handled before.
"""

import json
from collections.abc import Mapping, Sequence

import structlog

from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, Subscription
from stockbuddy.chassis.messaging.bus.amqp.envelope import to_batch
from stockbuddy.chassis.messaging.bus.amqp.frames import Address
from stockbuddy.chassis.messaging.bus.amqp.publisher import Publisher
from stockbuddy.chassis.messaging.chunks import join
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.contracts.topology import INTERNAL_EXCHANGE, internal_key, replay_queue

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
            try:
                # Mandatory: the request arrives before its queue is declared.
                await self._replay_to(queue, patterns, mandatory=True)
            except BusUnavailable as error:
                raise ConsumerUnavailable(str(error)) from error
            except Exception as error:
                if is_environment_fault(error):
                    raise ConsumerUnavailable(repr(error)) from error
                raise

    async def replay_to_new_groups(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        """Send the archive to groups that this release publishes to for the first time: their consumers may have been
        upgraded earlier, and what the previous release published since then did not reach them. A queue that does not
        exist yet requests its replay itself. Raises by the environment's fault."""
        new = await self._archive.find_new_groups(groups)
        for group in new:
            await self._replay_to(group, groups[group], mandatory=False)
        await self._archive.add_groups(new)

    async def _replay_to(self, queue: str, patterns: Sequence[str], *, mandatory: bool) -> None:
        address = Address(INTERNAL_EXCHANGE, internal_key(self._producer, queue), mandatory)
        sent = 0
        async for chunks in self._archive.read(patterns):
            await self._publisher.publish([(address, to_batch(chunk)) for chunk in join(chunks)])
            sent += sum(len(chunk.types) for chunk in chunks)
        log.info("bus.replayed", producer=self._producer, queue=queue, events=sent)
