"""Which fields of an event are personal data of which person, and their replacement.

A *person* is named like the subject of an event: `customer/5`, `user/17`. The data of an event is its JSON as Python
objects.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

ERASED = "[erased]"
"""In place of a personal value that was erased."""
ADDRESSES = "email-addresses"
"""The person of e-mail addresses that need not belong to a user."""

MAX_SECTION_ROWS = 10_000
"""Rows of a section of an export of personal data."""

Replace = Callable[[str, str], str]
"""The text that takes the place of a person's value."""


def neutral_name(person_id: int) -> str:
    """In place of the name of an erased customer or user."""
    return f"erased-{person_id}"


@dataclass(frozen=True, slots=True)
class PersonalFields:
    """`person`: a format string filled from the event's fields, or a constant. `fields`: texts or lists of texts; their
    entries in the event's `changes` belong to them."""

    person: str
    fields: tuple[str, ...]

    def person_in(self, data: Mapping[str, Any]) -> str | None:
        """None if the event names no such person."""
        id_field = self.id_field
        if id_field is None:
            return self.person
        person_id = data.get(id_field)
        return None if person_id is None else self.person.format_map({id_field: person_id})

    @property
    def id_field(self) -> str | None:
        return next((name for _, name, _, _ in Formatter().parse(self.person) if name), None)


def persons_in(declared: tuple[PersonalFields, ...], data: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The persons of an event, each with the names of its fields; one person may appear twice."""
    if not isinstance(data, dict):
        return []
    return [(person, fields.fields) for fields in declared if (person := fields.person_in(data)) is not None]


def replace_personal_values(persons: Iterable[tuple[str, tuple[str, ...]]], data: Any, replace: Replace) -> bool:
    """Replace the values of `persons`, as from `persons_in`, in `data`, in place. Returns whether there were any."""
    found = False
    for person, fields in persons:
        for holder, name in _places(fields, data):
            found |= _replace_value(holder, name, person, replace)
    return found


def _places(fields: tuple[str, ...], data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the values of the fields are: in the event itself, and before and after a change."""
    changes = data.get("changes")
    for name in fields:
        yield data, name
        change = changes.get(name) if isinstance(changes, dict) else None
        if isinstance(change, dict):
            yield change, "from"
            yield change, "to"


def _replace_value(holder: dict[str, Any], name: str, person: str, replace: Replace) -> bool:
    value = holder.get(name)
    if isinstance(value, str):
        holder[name] = replace(person, value)
        return True
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        holder[name] = [replace(person, item) for item in value]
        return True
    return False
