"""What this service hears, and what it does about it."""

from stockbuddy.chassis.inbox import Consumer
from stockbuddy.notifications.event_log import handlers as event_log

CONSUMERS = [
    # One lane: the log is one chain, and large batches are what make it fast.
    Consumer("notifications.log.v1", {"#": event_log.record_events}, lanes=1, batch_size=200),
]
