"""Converts messages of any event type, including types of other producers, to entries of the log."""

import json
import re
from collections.abc import Sequence
from typing import Any

from stockbuddy.chassis.messaging.handlers import PermanentFailure
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.notifications.event_log.chain import GENESIS, LogEntry, hash_entry
from stockbuddy.notifications.event_log.entry_metadata import identify_actor, is_audited, parse_time

MAX_INDEXED_LENGTH = 500
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""An escaped NUL (after an even number of backslashes): PostgreSQL's text cannot hold the character."""


def to_entries(messages: Sequence[Message], position: int) -> list[LogEntry]:
    """The entries after the one at `position`. Raises PermanentFailure if a message's data is not JSON."""
    return [_to_entry(message, position + offset) for offset, message in enumerate(messages, 1)]


def chain_hashes(entries: Sequence[LogEntry], previous_hash: bytes = GENESIS) -> list[bytes]:
    """The hashes of consecutive entries; `previous_hash` is that of the entry before them."""
    hashes: list[bytes] = []
    for entry in entries:
        previous_hash = hash_entry(previous_hash, entry)
        hashes.append(previous_hash)
    return hashes


def _to_entry(message: Message, position: int) -> LogEntry:
    attributes = {name: value.replace("\0", "\ufffd") for name, value in message.headers.items()}
    data, content = _parse_data(message)
    actor_id, actor = identify_actor(message.type, attributes, content)
    return LogEntry(
        position=position,
        event_id=message.id,
        type=message.type,
        subject=_to_indexable(attributes.get("subject")),
        at=parse_time(attributes.get("time")),
        actor_id=actor_id,
        actor=_to_indexable(actor),
        client_ip=_to_indexable(attributes.pop("clientip", None)),
        request_id=_to_indexable(attributes.get("requestid")),
        audited=is_audited(message.type),
        attributes=json.dumps(attributes, ensure_ascii=False, separators=(",", ":")),
        data=data,
    )


def _to_indexable(value: str | None) -> str | None:
    """A prefix that fits into an index (2,704 bytes); the attributes keep the whole value."""
    return None if value is None else value[:MAX_INDEXED_LENGTH]


def _parse_data(message: Message) -> tuple[str, Any]:
    """The message's data as JSON that PostgreSQL can store, and its content."""
    try:
        text = _ESCAPED_NUL.sub(r"\1\\ufffd", (message.body or b"null").decode())
        content = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise PermanentFailure(f"the data of {message.type} is not JSON") from error
    if "\\ud" in text.lower():
        # JSON can escape a single surrogate, but UTF-8 cannot encode it.
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text, content


def _reject_constant(constant: str) -> Any:
    """Python's parser accepts NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
