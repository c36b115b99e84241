"""Answers requests for a replay: sends what its service's archive holds for a queue to that queue alone.

A queue that was lost with its messages is filled again this way; the inbox drops what its group had handled already.
"""

import json
from collections.abc import Sequence

import structlog

from stockbuddy.chassis.archive import Archive
from stockbuddy.chassis.bus import BusAway, Message, ReceiverAway, Subscription
from stockbuddy.chassis.bus.amqp.publisher import Publisher
from stockbuddy.chassis.database import is_database_away
from stockbuddy.contracts.topology import refill_key, replay_queue

log = structlog.get_logger(__name__)


class Replayer:
    """One producer's answerer."""

    def __init__(self, publisher: Publisher, archive: Archive, *, producer: str) -> None:
        self._publisher = publisher
        self._archive = archive
        self._producer = producer

    def subscription(self) -> Subscription:
        return Subscription(
            group=replay_queue(self._producer),
            receive=self._answer,
            wait_until_able=self._archive.wait_until_able,
            lanes=1,
            batch_size=1,
        )

    async def _answer(self, requests: Sequence[Message]) -> None:
        for request in requests:
            wanted = json.loads(request.body)
            key = refill_key(self._producer, wanted["queue"])
            sent = 0
            try:
                async for messages in self._archive.read(wanted["patterns"]):
                    await self._publisher.publish(messages, refill_key=key)
                    sent += len(messages)
            except BusAway as error:
                raise ReceiverAway(str(error)) from error
            except Exception as error:
                if is_database_away(error):
                    raise ReceiverAway(repr(error)) from error
                raise
            log.info("bus.replayed", producer=self._producer, queue=wanted["queue"], events=sent)
