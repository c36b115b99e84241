"""Makes a row of the log out of a message of any type, ours or a stranger's."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.messaging.handlers import PermanentFailure
from stockbuddy.notifications.event_log.chain import GENESIS, Entry, link
from stockbuddy.notifications.event_log.entry_metadata import is_audited

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""PostgreSQL keeps no NUL in a text; an odd number of backslashes is what makes it one."""

LONGEST_ID = 18
"""Digits that a bigint holds, whichever they are."""

_OWN_DOING = ("auth.user.registered", "auth.user.logged_in")
"""Requests without credentials whose event nevertheless says who made them."""


def entries_from(messages: Sequence[Message], position: int) -> list[Entry]:
    """The rows behind the one at `position`. Raises PermanentFailure for what is no CloudEvent with JSON data."""
    return [_entry(message, position + offset) for offset, message in enumerate(messages, 1)]


def chained(entries: Sequence[Entry], previous_hash: bytes = GENESIS) -> list[bytes]:
    """The hash of each of some consecutive rows."""
    hashes: list[bytes] = []
    for entry in entries:
        previous_hash = link(previous_hash, entry)
        hashes.append(previous_hash)
    return hashes


def _entry(message: Message, position: int) -> Entry:
    attributes = {name: value.replace("\0", "\ufffd") for name, value in message.headers.items()}
    data, content = _data(message)
    actor_id, actor = _actor(message.type, attributes, content)
    return Entry(
        position=position,
        event_id=message.id,
        type=message.type,
        subject=attributes.get("subject"),
        at=_time(attributes.get("time")),
        actor_id=actor_id,
        actor=actor,
        client_ip=attributes.pop("clientip", None),
        request_id=attributes.get("requestid"),
        audited=is_audited(message.type),
        attributes=json.dumps(attributes, ensure_ascii=False, separators=(",", ":")),
        data=data,
    )


def _data(message: Message) -> tuple[str, Any]:
    try:
        text = _ESCAPED_NUL.sub(r"\1\\ufffd", (message.body or b"null").decode())
        content = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise PermanentFailure(f"the data of {message.type} is not JSON") from error
    if "\\ud" in text.lower():
        # Half of a surrogate pair is no character, though JSON can write it.
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text, content


def _refuse(constant: str) -> Any:
    """Python would read NaN and Infinity; JSON has no such thing."""
    raise ValueError(constant)


def _actor(event_type: str, attributes: dict[str, str], data: Any) -> tuple[int | None, str | None]:
    actor_id = attributes.get("actorid", "")
    if actor_id.isdecimal() and len(actor_id) <= LONGEST_ID:
        return int(actor_id), attributes.get("actorname")
    if event_type in _OWN_DOING and isinstance(data, dict):
        return data.get("user_id"), data.get("username")
    return None, attributes.get("actorname")


def _time(given: str | None) -> datetime:
    """When it happened; for a stranger that does not say, when we heard of it."""
    try:
        at = datetime.fromisoformat(given or "")
    except ValueError:
        return datetime.now(UTC)
    if not 1 < at.year < 9999:  # in another zone it may be no date at all
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
