"""The fields of events that need a permission of their own, as in the responses of the API."""

from collections.abc import Collection
from functools import lru_cache

from stockbuddy.chassis.access.hidden_fields import hidden_names, remove_fields
from stockbuddy.contracts.event import EVENTS
from stockbuddy.contracts.field_permissions import COST_READ, restricted_fields

FIELD_PERMISSIONS = frozenset({COST_READ})


@lru_cache(maxsize=1000)
def hidden_fields(event_type: str, permissions: frozenset[str]) -> frozenset[str]:
    """The fields of events of this type that are hidden without further permissions."""
    event_class = EVENTS.get(event_type)
    return frozenset() if event_class is None else hidden_names(restricted_fields(event_class), permissions)


def field_permissions_among(permissions: Collection[str]) -> frozenset[str]:
    return FIELD_PERMISSIONS.intersection(permissions)


def visible_data(event_type: str, data: str, permissions: frozenset[str]) -> str:
    """The event's data, a JSON text, without the hidden fields."""
    names = hidden_fields(event_type, permissions)
    return remove_fields(data.encode(), names).decode() if names else data
