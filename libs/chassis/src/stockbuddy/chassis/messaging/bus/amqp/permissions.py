"""RabbitMQ permissions of each service's user: the minimum that the bus needs (docs/adr/0007-broker-rights.md).

RabbitMQ matches permissions as regular expressions on names, topic permissions on routing keys.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stockbuddy.contracts import topology
from stockbuddy.contracts.auth import AccessDenied

NOTHING = "^$"
_SHARED_EXCHANGES = (
    topology.EVENTS_EXCHANGE,
    topology.UNROUTED_EXCHANGE,
    topology.DEAD_EXCHANGE,
    topology.REPLAY_EXCHANGE,
    topology.REFILL_EXCHANGE,
)
_SHARED_QUEUES = (topology.UNROUTED_QUEUE, *map(topology.replay_queue, topology.PRODUCERS))


@dataclass(frozen=True, slots=True)
class BrokerPermissions:
    """`configure`: declare; `write`: publish and bind queues; `read`: consume and bind to exchanges."""

    configure: str
    write: str
    read: str


def permissions_of(service: str) -> BrokerPermissions:
    """Permissions on exchanges and queues: declare the shared ones and its own queues, read only its own queues."""
    own = f"{service}\\..+"
    declares = _any_of(own, *map(re.escape, (*_SHARED_EXCHANGES, *_SHARED_QUEUES)))
    return BrokerPermissions(declares, declares, _any_of(own, *map(re.escape, _SHARED_EXCHANGES)))


def topic_permissions_of(
    service: str, groups: Mapping[str, tuple[str, ...]] = topology.CONSUMER_GROUPS
) -> Mapping[str, tuple[str, str]]:
    """By topic exchange: the routing keys that it may publish, and the patterns that it may bind its queues to."""
    own_keys = f"^({service}\\.|{re.escape(AccessDenied.type)}$)"  # every service publishes its denials
    own_groups = [group for group in groups if topology.owner(group) == service]
    subscribed = sorted({pattern for group in own_groups for pattern in groups[group]})
    refilled = [topology.refill_key("*", group) for group in own_groups]
    return {
        topology.EVENTS_EXCHANGE: (own_keys, _any_of(*map(re.escape, subscribed)) if subscribed else NOTHING),
        topology.REFILL_EXCHANGE: (own_keys, _any_of(*map(re.escape, refilled)) if refilled else NOTHING),
    }


def _any_of(*expressions: str) -> str:
    return f"^({'|'.join(expressions)})$"
