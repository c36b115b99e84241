"""The exchanges and queues of the bus, and which event types each queue receives.

Every service declares the shared ones and its own queues before it publishes; a queue that is created later is refilled
from the producers' archives. The arguments of a queue can't be changed later, hence the version in its name.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

EVENTS_EXCHANGE = "stockbuddy.events"
"""For consumers outside the system: each event as a message of its own, in the order of the event log."""
EVENTS_PUBLISHER = "notifications"
"""The service that owns the event log, the only one that publishes to EVENTS_EXCHANGE."""
INTERNAL_EXCHANGE = "stockbuddy.internal"
"""Chunks of events on their way from one service to the queue of another."""
DEAD_EXCHANGE = "stockbuddy.dead"
REPLAY_EXCHANGE = "stockbuddy.replay"
REPLAY_REQUESTED = "stockbuddy.replay.requested"
DELIVERY_LIMIT = 50

PRODUCERS = ("auth", "catalog", "stock", "notifications")
"""The services that publish events; each replays events from its archive on request."""

CONSUMER_GROUPS: Mapping[str, tuple[str, ...]] = {
    "catalog.stock.v1": ("stock.level.changed", "stock.warehouse.*"),
    # A queue of its own: replicas of the previous release would discard these events.
    "catalog.documents.v1": ("stock.purchase.*", "stock.transfer.*"),
    "catalog.settings.v1": ("auth.settings.changed",),
    # A queue of its own, for the same reason as stock's for categories below.
    "catalog.timezone.v1": ("auth.settings.changed",),
    "stock.catalog.v1": ("catalog.product.*", "catalog.supplier.*"),
    # A queue of its own: a new queue is filled from the archive, which contains what an upgrade has republished.
    "stock.categories.v1": ("catalog.category.*", "catalog.product.republished"),
    "stock.settings.v1": ("auth.settings.changed",),
    # A queue of its own, for the same reason. Logins and other events of users are not wanted.
    "stock.users.v1": (
        "auth.user.registered",
        "auth.user.updated",
        "auth.user.role_changed",
        "auth.user.deactivated",
        "auth.user.reactivated",
        "auth.user.erased",
        "auth.role.*",
    ),
    # Queues of their own: replicas of the previous release would discard these events.
    "auth.erasure.v1": ("*.*.erased",),
    "catalog.erasure.v1": ("*.*.erased",),
    "stock.erasure.v1": ("*.*.erased",),
    "notifications.erasure.v1": ("*.*.erased",),
    "notifications.log.v1": ("#",),
    "notifications.people.v1": ("auth.user.*", "auth.settings.changed", "catalog.product.*", "stock.warehouse.*"),
    # A queue of its own: replicas of the previous release would discard these events.
    "notifications.roles.v1": ("auth.role.*",),
    # A queue of its own: replicas of the previous release would discard these events.
    "notifications.reports.v1": ("stock.report.*", "stock.report_schedule.paused"),
    "notifications.alerts.v1": (
        "stock.level.low",
        "stock.level.depleted",
        "stock.level.recovered",
        "stock.activity.unusual",
        "catalog.import.finished",
        "notifications.webhook.disabled",
        "notifications.webhook.failing",
        "auth.email.failed",
        "auth.email.delayed",
        "notifications.email.failed",
        "notifications.email.delayed",
    ),
}
"""Queue → the event types that it receives, as AMQP topic patterns."""


ORDERED_GROUPS = frozenset({"notifications.log.v1"})
"""One replica at a time consumes these queues: two could swap chunks of one producer."""


def dead_queue(queue: str) -> str:
    return f"{queue}.dead"


def consumer_queue(name: str) -> str:
    """The queue of a consumer outside the system."""
    return f"{name}.v1"


def replay_queue(producer: str) -> str:
    return f"{producer}.replay.v1"


def internal_key(producer: str, queue: str) -> str:
    """The routing key of what `producer` sends to a queue through INTERNAL_EXCHANGE."""
    return f"{producer}.{queue}"


def owner(queue: str) -> str:
    """The service that owns a queue."""
    return queue.partition(".")[0]


@lru_cache(maxsize=1024)
def matches(pattern: str, event_type: str) -> bool:
    """AMQP 0-9-1 topic matching: `*` is one word, `#` any number of words."""
    wildcards = {"#": r"(\.[^.]+)*", "*": r"\.[^.]+"}
    expression = "".join(wildcards.get(word, r"\." + re.escape(word)) for word in pattern.split("."))
    return re.fullmatch(expression, f".{event_type}") is not None


@lru_cache(maxsize=4096)
def is_wanted(patterns: tuple[str, ...], event_type: str) -> bool:
    return any(matches(pattern, event_type) for pattern in patterns)


def types_for(patterns: tuple[str, ...], event_types: Iterable[str]) -> frozenset[str]:
    """Those of the event types that a queue with these patterns receives."""
    return frozenset(event_type for event_type in event_types if is_wanted(patterns, event_type))
