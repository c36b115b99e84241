"""What the broker lets each service's user do: no more than the bus asks of it (docs/adr/0007-broker-rights.md).

Regular expressions on names, as RabbitMQ's permissions are; topic permissions are on routing keys.
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
class Rights:
    """`configure` is to declare, `write` to publish and to bind queues, `read` to consume and to bind to exchanges."""

    configure: str
    write: str
    read: str


def rights(service: str) -> Rights:
    """On exchanges and queues: declare what all share and its own queues, read its own queues alone."""
    own = f"{service}\\..+"
    declares = _any_of(own, *map(re.escape, (*_SHARED_EXCHANGES, *_SHARED_QUEUES)))
    return Rights(declares, declares, _any_of(own, *map(re.escape, _SHARED_EXCHANGES)))


def topic_rights(
    service: str, groups: Mapping[str, tuple[str, ...]] = topology.CONSUMER_GROUPS
) -> Mapping[str, tuple[str, str]]:
    """By topic exchange, which keys it may write, and to which patterns it may bind its queues."""
    own_keys = f"^({service}\\.|{re.escape(AccessDenied.type)}$)"  # every service tells whom it has turned away
    own_groups = [group for group in groups if topology.owner(group) == service]
    heard = sorted({pattern for group in own_groups for pattern in groups[group]})
    refilled = [topology.refill_key("*", group) for group in own_groups]
    return {
        topology.EVENTS_EXCHANGE: (own_keys, _any_of(*map(re.escape, heard)) if heard else NOTHING),
        topology.REFILL_EXCHANGE: (own_keys, _any_of(*map(re.escape, refilled)) if refilled else NOTHING),
    }


def _any_of(*expressions: str) -> str:
    return f"^({'|'.join(expressions)})$"
