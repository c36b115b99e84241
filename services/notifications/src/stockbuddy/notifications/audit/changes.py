"""Field changes of an event: those it lists itself, or the difference to the subject's previous event.

Events carry whole states. Event types that describe the same thing share a base class in the contracts that declares
its fields. A fact without an earlier state (a movement, a failed login) has all its fields as changes from null.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stockbuddy.contracts import auth, catalog, notifications, stock  # noqa: F401 - fills EVENTS
from stockbuddy.contracts.event import EVENTS, Event
from stockbuddy.notifications.audit.schemas import FieldChange

_BOOKKEEPING = frozenset({"version", "updated_at", "changes"})
"""Fields that differ in every event and describe no change."""


@lru_cache(maxsize=1024)
def types_of_same_state(event_type: str) -> tuple[str, ...]:
    """The event types that carry the state of the same kind of thing; empty if the type carries no state."""
    event_class = EVENTS.get(event_type)
    state = _find_state_class(event_class) if event_class else None
    if state is None:
        return ()
    return tuple(sorted(name for name, other in EVENTS.items() if issubclass(other, state)))


def _find_state_class(event_class: type[Event]) -> type[Event] | None:
    """The base class closest to `Event` that has a sequence field."""
    for ancestor in reversed(event_class.__mro__):
        if issubclass(ancestor, Event) and ancestor.sequence_field is not None:
            return ancestor
    return None


def changes_between(before: str | None, after: str) -> dict[str, FieldChange]:
    """Changes by field, from JSON texts; a field that only one of them has is null in the other."""
    old, new = _fields(before), _fields(after)
    for balance in ("balance", "on_hand"):
        if "before" in new and balance in new:
            # A movement contains the balance before it.
            old, new = {**old, balance: new["before"]}, {name: v for name, v in new.items() if name != "before"}
    if listed := _listed_changes(new.get("changes")):
        return listed
    return {
        name: FieldChange(before=old.get(name), after=new.get(name))
        for name in [*new, *(name for name in old if name not in new)]
        if name not in _BOOKKEEPING and old.get(name) != new.get(name)
    }


def _listed_changes(changes: Any) -> dict[str, FieldChange]:
    """Changes that an event lists: `{field: {"from": …, "to": …}}`; empty for other shapes."""
    if not isinstance(changes, dict) or not all(isinstance(c, dict) and "to" in c for c in changes.values()):
        return {}
    return {name: FieldChange(before=change.get("from"), after=change["to"]) for name, change in changes.items()}


def _fields(document: str | None) -> Mapping[str, Any]:
    content = json.loads(document) if document else {}
    return content if isinstance(content, dict) else {"data": content}
