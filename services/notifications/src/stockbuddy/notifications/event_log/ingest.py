"""Converts messages of any event type, including types of other producers, to entries of the log."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stockbuddy.chassis.messaging.erased_texts import replace_in_json
from stockbuddy.chassis.messaging.handlers import PermanentFailure
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.event import EVENTS
from stockbuddy.contracts.personal_data import PersonalFields, persons_in, replace_personal_values
from stockbuddy.notifications.event_log.chain import GENESIS, LogEntry, hash_entry
from stockbuddy.notifications.event_log.entry_metadata import identify_actor, is_audited, parse_time
from stockbuddy.notifications.event_log.placeholders import OwnedValue

MAX_INDEXED_LENGTH = 500
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""An escaped NUL (after an even number of backslashes): PostgreSQL's text cannot hold the character."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A message whose texts PostgreSQL can store. `data` is JSON, `content` the same as Python objects."""

    message: Message
    attributes: Mapping[str, str]
    data: str
    content: Any
    actor_id: int | None
    actor: str | None

    @classmethod
    def parse(cls, message: Message) -> "ReceivedEvent":
        """Raises PermanentFailure if the message's data is not JSON."""
        attributes = {name: value.replace("\0", "\ufffd") for name, value in message.headers.items()}
        data, content = _parse_data(message)
        return cls(message, attributes, data, content, *identify_actor(message.type, attributes, content))

    def personal_values(self) -> set[OwnedValue]:
        """The values that the log must be able to erase: those that the event declares, and the actor's name."""
        found: set[OwnedValue] = set()
        if self.actor_id is not None and self.actor is not None:
            found.add((f"user/{self.actor_id}", self.actor))

        def note(person: str, value: str) -> str:
            found.add((person, value))
            return value

        declared = declared_fields(self.message.type)
        if declared:
            replace_personal_values(persons_in(declared, self.content), self.content, note)
        return found

    def to_entry(self, position: int, placeholders: Mapping[OwnedValue, str]) -> LogEntry:
        """The entry at `position`, with placeholders in place of the personal values."""
        attributes = dict(self.attributes)
        actor = _to_indexable(self.actor)
        if self.actor_id is not None and self.actor is not None:
            actor = placeholders[f"user/{self.actor_id}", self.actor]
            if "actorname" in attributes:
                attributes["actorname"] = actor
        declared = declared_fields(self.message.type)
        return LogEntry(
            position=position,
            event_id=self.message.id,
            type=self.message.type,
            subject=_to_indexable(attributes.get("subject")),
            at=parse_time(attributes.get("time")),
            actor_id=self.actor_id,
            actor=actor,
            client_ip=_to_indexable(attributes.pop("clientip", None)),
            request_id=_to_indexable(attributes.get("requestid")),
            audited=is_audited(self.message.type),
            attributes=json.dumps(attributes, ensure_ascii=False, separators=(",", ":")),
            data=replace_in_json(declared, self.data, lambda *owned: placeholders[owned]) if declared else self.data,
        )


def declared_fields(event_type: str) -> tuple[PersonalFields, ...]:
    """The declaration of the event's personal fields; empty for types of other producers."""
    event_class = EVENTS.get(event_type)
    return event_class.personal if event_class else ()


def chain_hashes(entries: Sequence[LogEntry], previous_hash: bytes = GENESIS) -> list[bytes]:
    """The hashes of consecutive entries; `previous_hash` is that of the entry before them."""
    hashes: list[bytes] = []
    for entry in entries:
        previous_hash = hash_entry(previous_hash, entry)
        hashes.append(previous_hash)
    return hashes


def _to_indexable(value: str | None) -> str | None:
    """A prefix that fits into an index (2,704 bytes); the attributes keep the whole value."""
    return None if value is None else value[:MAX_INDEXED_LENGTH]


def _parse_data(message: Message) -> tuple[str, Any]:
    """The message's data as JSON that PostgreSQL can store, and its content."""
    try:
        text = (message.body or b"null").decode()
        if "\\u0000" in text:
            text = _ESCAPED_NUL.sub(r"\1\\ufffd", text)
        content = _decode(text)
    except (ValueError, RecursionError) as error:
        raise PermanentFailure(f"the data of {message.type} is not JSON") from error
    if "\\ud" in text or "\\uD" in text:
        # JSON can escape a single surrogate, but UTF-8 cannot encode it.
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
        content = json.loads(text)
    return text, content


def _reject_constant(constant: str) -> Any:
    """Python's parser accepts NaN and Infinity, which are not JSON."""
    raise ValueError(constant)


_decode = json.JSONDecoder(parse_constant=_reject_constant).decode
