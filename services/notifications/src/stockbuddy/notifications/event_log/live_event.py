"""An event on its way to many live readers at once: what they need of it is worked out once."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from stockbuddy.contracts.auth import ApiKeyRevoked, SessionRevoked, UserRegistered, UserState, UserUpdated
from stockbuddy.contracts.event import EVENTS
from stockbuddy.contracts.notifications import NotificationCreated, PreferencesChanged
from stockbuddy.notifications.event_log.cloudevents import LoggedEvent

_IN_TOKENS = frozenset({"username", "role", "warehouse_ids", "is_active"})
"""What a token says of a user besides who they are."""


class LiveEvent:
    """A logged event with its renderings."""

    def __init__(self, event: LoggedEvent) -> None:
        self.event = event
        self.position = event.position
        self.type = event.type
        self.subject = event.subject
        self._frames: dict[tuple[str, bool], str] = {}

    @cached_property
    def data(self) -> Mapping[str, Any]:
        content = json.loads(self.event.data)
        return content if isinstance(content, dict) else {}

    @property
    def notification_kind(self) -> str | None:
        """The kind, if this is a notification."""
        return self.data.get("kind") if self.type == NotificationCreated.type else None

    def preferences_of(self, user_id: int) -> Mapping[str, Mapping[str, bool]] | None:
        """That user's wishes for every kind, if this says that they have changed."""
        if self.type == PreferencesChanged.type and self.data.get("user_id") == user_id:
            wishes: Mapping[str, Mapping[str, bool]] = self.data["preferences"]
            return wishes
        return None

    @property
    def ended(self) -> str | None:
        """What is over with this event: a session, an API key, or what a user's tokens say of them."""
        if self.type == SessionRevoked.type:
            return f"session/{self.data.get('session_id')}"
        if self.type == ApiKeyRevoked.type:
            return f"key/{self.data.get('api_key_id')}"
        said = EVENTS.get(self.type)
        if said is None or not issubclass(said, UserState) or said is UserRegistered:
            return None
        if said is UserUpdated and _IN_TOKENS.isdisjoint(self.data.get("changes") or ()):
            return None
        return f"user/{self.data.get('user_id')}"

    def sse(self, *, with_client_ip: bool) -> str:
        """As a server-sent event: its id is the cursor of the feed, its name the type."""
        key = ("sse", with_client_ip)
        if key not in self._frames:
            data = _one_line(self.event.to_json(with_client_ip=with_client_ip))
            self._frames[key] = f"id: {self.position}\nevent: {self.type}\ndata: {data}\n\n"
        return self._frames[key]

    def message(self, *, with_client_ip: bool) -> str:
        """The same as a WebSocket's message: `{id, event, data}`."""
        key = ("message", with_client_ip)
        if key not in self._frames:
            head = json.dumps({"id": str(self.position), "event": self.type}, separators=(",", ":"))
            data = self.event.to_json(with_client_ip=with_client_ip)
            self._frames[key] = f'{head[:-1]},"data":{data}}}'
        return self._frames[key]


def _one_line(document: str) -> str:
    """Strangers' JSON may hold line breaks between its parts, which would end the field."""
    return document.replace("\r", " ").replace("\n", " ")
