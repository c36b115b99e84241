"""Removes the values of one person from events and stored responses, as JSON texts.

Responses have the format of the events, so the declarations of the events apply to every object in them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from stockbuddy.chassis.messaging.chunks import event_text, to_message
from stockbuddy.contracts import auth, catalog, notifications, stock  # noqa: F401 - fills EVENTS
from stockbuddy.contracts.event import EVENTS
from stockbuddy.contracts.personal_data import (
    ADDRESSES,
    ERASED,
    PersonalFields,
    Replace,
    persons_in,
    replace_personal_values,
)

COLLECTIONS = {"customer": "customers", "user": "users"}
"""Kind of person → the collection of the API that contains them."""


def locations_of(person: str) -> list[str]:
    """The URL of the person in the API; none if they have none."""
    kind, _, identifier = person.partition("/")
    return [f"/api/v1/{COLLECTIONS[kind]}/{identifier}"] if kind in COLLECTIONS else []


@dataclass(frozen=True, slots=True)
class Erasure:
    """What to erase. `mentions`: a regular expression of PostgreSQL for the JSON of events that may contain it.
    `replace`: the text in place of a value. `actor_id`: of a user, whose name events also have as their actor."""

    mentions: str
    replace: Replace
    actor_id: str | None = None

    @classmethod
    def of_person(cls, person: str) -> "Erasure":
        """All values of the person, which an event has only with their id in a field that names such persons."""
        kind, _, identifier = person.partition("/")
        names = [fields.id_field or "" for fields in _declarations_of(kind)]
        actor_id = identifier if kind == "user" else None
        alternatives = "|".join(sorted({*names, *(["actorid"] if actor_id else [])}))
        mentions = f'"({alternatives})": ?"?{re.escape(identifier)}\\M'
        return cls(mentions, lambda owner, value: ERASED if owner == person else value, actor_id)

    @classmethod
    def of_phrases(cls, phrases: Sequence[str]) -> "Erasure":
        """Texts that contain one of the phrases, without regard to case, and belong to no person: addresses of the
        company, and notifications."""
        wanted = [phrase.lower() for phrase in phrases]

        def replace(owner: str, value: str) -> str:
            is_anyones = owner == ADDRESSES or owner.startswith("notification/")
            return ERASED if is_anyones and any(phrase in value.lower() for phrase in wanted) else value

        return cls(f"(?i)({'|'.join(map(re.escape, phrases))})", replace)


def replace_in_json(declared: tuple[PersonalFields, ...], document: str, replace: Replace) -> str:
    """The document with its personal values replaced; unchanged without any. Numbers keep their notation."""
    persons = persons_in(declared, json.loads(document))
    if not persons:
        return document
    exact = _parse_exactly(document)
    return orjson.dumps(exact).decode() if replace_personal_values(persons, exact, replace) else document


def erase_from_event(event: str, erasure: Erasure) -> str:
    """An event of a chunk without the erased values."""
    message = to_message(event)
    headers, body = erase_from_parts(message.type, message.headers, message.body.decode(), erasure)
    if (headers, body) == (message.headers, message.body.decode()):
        return event
    return event_text(json.dumps(headers), body)


def erase_from_parts(
    event_type: str, headers: Mapping[str, str], body: str, erasure: Erasure
) -> tuple[Mapping[str, str], str]:
    """The attributes and the data of an event without the erased values."""
    if erasure.actor_id is not None and headers.get("actorid") == erasure.actor_id and "actorname" in headers:
        headers = {**headers, "actorname": ERASED}
    event_class = EVENTS.get(event_type)
    if event_class is None or not event_class.personal:
        return headers, body
    return headers, replace_in_json(event_class.personal, body, erasure.replace)


def erase_from_response(body: str, person: str, *, is_person: bool) -> str:
    """A stored response without the values of the person. `is_person`: the response is the person's own resource. A
    body that is not JSON (encrypted, or empty) is returned as it is."""
    try:
        content, exact = json.loads(body), _parse_exactly(body)
    except ValueError:
        return body
    changed, replace = False, Erasure.of_person(person).replace
    if is_person and isinstance(exact, dict):
        changed = replace_personal_values([(person, _fields_of(person.partition("/")[0]))], exact, replace)
    for node, exact_node in zip(_objects_in(content), _objects_in(exact), strict=True):
        changed |= replace_personal_values(_persons_of_response(node, person), exact_node, replace)
    return orjson.dumps(exact).decode() if changed else body


def _is_of_kind(fields: PersonalFields, kind: str) -> bool:
    return fields.person.partition("/")[0] == kind and fields.id_field is not None


@lru_cache
def _declarations_of(kind: str) -> tuple[PersonalFields, ...]:
    """The declarations of all events for persons of this kind."""
    return tuple({fields: None for event in EVENTS.values() for fields in event.personal if _is_of_kind(fields, kind)})


def _fields_of(kind: str) -> tuple[str, ...]:
    return tuple({name: None for fields in _declarations_of(kind) for name in fields.fields})


def _persons_of_response(node: dict[str, Any], person: str) -> list[tuple[str, tuple[str, ...]]]:
    return [found for found in persons_in(_declarations_of(person.partition("/")[0]), node) if found[0] == person]


def _objects_in(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    for item in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _objects_in(item)


def _parse_exactly(document: str) -> Any:
    """The JSON document with its numbers as texts that are written as they were read."""
    return json.loads(document, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
