"""The outbox before version 3 of the chassis' tables, one row per event: for migrations of those releases only."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection, text

from stockbuddy.chassis.messaging.chunks import to_message
from stockbuddy.chassis.messaging.outbox import to_outbox_event
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.event import Event

_INSERT = text("""
    INSERT INTO outbox (shard, event_id, routing_key, headers, payload, partition_key)
    VALUES (:shard, :event_id, :routing_key, CAST(:headers AS json), CAST(:payload AS json), :partition_key)
""")


def insert(connection: Connection, events: Iterable[Event]) -> None:
    """Publish the events when the migration commits."""
    for event in events:
        inserted = to_outbox_event(event, EventContext())
        message = to_message(inserted.text)
        values = {"event_id": message.id, "routing_key": message.type, "headers": json.dumps(message.headers)}
        key = {"shard": inserted.shard, "partition_key": message.partition_key}
        connection.execute(_INSERT, {**values, **key, "payload": message.body.decode()})
