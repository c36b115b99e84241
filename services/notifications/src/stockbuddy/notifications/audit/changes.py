"""What an event changed: what it says itself, or its data against the state that the event before it left.

Events carry whole states. Contracts tell which types describe the same thing: those that share the class that holds
its fields. A fact without an earlier state (a movement, a failed login) changed nothing into what it says.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stockbuddy.contracts import auth, catalog, notifications, stock  # noqa: F401 - fills EVENTS
from stockbuddy.contracts.event import EVENTS, Event
from stockbuddy.notifications.audit.schemas import Change

_BOOKKEEPING = frozenset({"version", "updated_at", "changes"})
"""Fields that say that something changed, not what."""


@lru_cache(maxsize=1024)
def types_of_same_state(event_type: str) -> tuple[str, ...]:
    """The types whose events carry the state of the same thing; none when the type carries no state."""
    event_class = EVENTS.get(event_type)
    state = _state_class(event_class) if event_class else None
    if state is None:
        return ()
    return tuple(sorted(name for name, other in EVENTS.items() if issubclass(other, state)))


def _state_class(event_class: type[Event]) -> type[Event] | None:
    """The class between `Event` and this one that names what states are counted by."""
    for ancestor in reversed(event_class.__mro__):
        if issubclass(ancestor, Event) and ancestor.sequence_field is not None:
            return ancestor
    return None


def changes_between(before: str | None, after: str) -> dict[str, Change]:
    """Field by field, from JSON texts; a field that only one of them has counts as null in the other."""
    old, new = _fields(before), _fields(after)
    for balance in ("balance", "on_hand"):
        if "before" in new and balance in new:
            # A movement says itself what was there before it.
            old, new = {**old, balance: new["before"]}, {name: v for name, v in new.items() if name != "before"}
    if said := _said(new.get("changes")):
        return said
    return {
        name: Change(before=old.get(name), after=new.get(name))
        for name in [*new, *(name for name in old if name not in new)]
        if name not in _BOOKKEEPING and old.get(name) != new.get(name)
    }


def _said(changes: Any) -> dict[str, Change]:
    """The changes that an event spells out itself: `{field: {"from": …, "to": …}}`."""
    if not isinstance(changes, dict) or not all(isinstance(c, dict) and "to" in c for c in changes.values()):
        return {}
    return {name: Change(before=change.get("from"), after=change["to"]) for name, change in changes.items()}


def _fields(document: str | None) -> Mapping[str, Any]:
    content = json.loads(document) if document else {}
    return content if isinstance(content, dict) else {"data": content}
