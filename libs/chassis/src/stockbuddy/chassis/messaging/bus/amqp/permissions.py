"""RabbitMQ permissions of each service's user: the minimum that the bus needs (docs/adr/0007-broker-rights.md).

RabbitMQ matches permissions as regular expressions on names, topic permissions on routing keys.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stockbuddy.contracts import topology

NOTHING = "^$"
_SHARED_EXCHANGES = (topology.INTERNAL_EXCHANGE, topology.DEAD_EXCHANGE, topology.REPLAY_EXCHANGE)
_SHARED_QUEUES = tuple(map(topology.replay_queue, topology.PRODUCERS))


@dataclass(frozen=True, slots=True)
class BrokerPermissions:
    """`configure`: declare; `write`: publish and bind queues; `read`: consume and bind to exchanges."""

    configure: str
    write: str
    read: str


def permissions_of(service: str) -> BrokerPermissions:
    """Permissions on exchanges and queues: declare the shared ones and its own queues, read only its own queues."""
    own = f"{service}\\..+"
    exchanges: tuple[str, ...] = _SHARED_EXCHANGES
    if service == topology.EVENTS_PUBLISHER:
        exchanges += (topology.EVENTS_EXCHANGE,)
    declares = _any_of(own, *map(re.escape, (*exchanges, *_SHARED_QUEUES)))
    return BrokerPermissions(declares, declares, _any_of(own, *map(re.escape, _SHARED_EXCHANGES)))


def topic_permissions_of(
    service: str, groups: Mapping[str, tuple[str, ...]] = topology.CONSUMER_GROUPS
) -> Mapping[str, tuple[str, str]]:
    """By topic exchange: the routing keys that it may publish, and the patterns that it may bind its queues to."""
    queues = [topology.internal_key("*", group) for group in groups if topology.owner(group) == service]
    permissions = {
        topology.INTERNAL_EXCHANGE: (f"^{service}\\.", _any_of(*map(re.escape, queues)) if queues else NOTHING)
    }
    if service == topology.EVENTS_PUBLISHER:
        permissions[topology.EVENTS_EXCHANGE] = (".*", NOTHING)
    return permissions


def _any_of(*expressions: str) -> str:
    return f"^({'|'.join(expressions)})$"
