"""Publishes the event log, in its order, to consumers outside the system: each event is a message of its own.

One replica at a time does, the one that holds the row with the position reached. The position moves after the broker
has confirmed the events, so they are published at least once.
"""

import json

import structlog

from stockbuddy.chassis.messaging.bus import EventRefused, PublishExternally
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.append import APPENDED
from stockbuddy.notifications.event_log.cloudevents import LoggedEvent

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
POLL_INTERVAL_SECONDS = 1.0


class ExternalPublisher:
    """Publishes what the log receives after the position reached."""

    def __init__(self, database: Database, publish: PublishExternally) -> None:
        self._database = database
        self._publish = publish

    def worker(self) -> PollingWorker:
        """Woken by appends of this process; polls for those of other replicas."""
        worker = PollingWorker(
            "notifications.external_publisher", self._publish_batch, interval_seconds=POLL_INTERVAL_SECONDS
        )
        self._database.on_commit(APPENDED, worker.wake)
        return worker

    async def _publish_batch(self) -> bool:
        """Returns whether there may be more."""
        async with self._database.transaction() as session:
            reached = await queries.lock_published_position(session)
            events = [] if reached is None else await queries.read_after(session, reached, BATCH_SIZE)
            if events:
                await self._publish_events([_to_message(event) for event in events])
                await queries.update_published_position(session, events[-1].position)
        return len(events) == BATCH_SIZE

    async def _publish_events(self, messages: list[Message]) -> None:
        """Leave out, one by one, events that the broker can never accept: they must not hold up the others, and the
        log keeps them."""
        try:
            await self._publish(messages)
        except EventRefused as error:
            if len(messages) > 1:
                for message in messages:
                    await self._publish_events([message])
            else:
                log.error("external_publisher.event_refused", event_id=messages[0].id, error=repr(error))


def _to_message(event: LoggedEvent) -> Message:
    attributes = json.loads(event.attributes)
    if event.client_ip is not None:
        attributes["clientip"] = event.client_ip
    return Message(attributes["id"], event.type, attributes, event.data.encode())
