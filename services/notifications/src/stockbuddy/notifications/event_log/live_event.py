"""An event delivered to many streams at once: what they need of it is computed once."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from stockbuddy.contracts.auth import ApiKeyRevoked, SessionRevoked, UserRegistered, UserState, UserUpdated
from stockbuddy.contracts.event import EVENTS
from stockbuddy.contracts.notifications import NotificationCreated, PreferencesChanged
from stockbuddy.notifications.event_log.cloudevents import LoggedEvent, View

_TOKEN_FIELDS = frozenset({"username", "role", "warehouse_ids", "is_active"})
"""Fields of a user that access tokens contain."""


class LiveEvent:
    """A logged event with its cached SSE and WebSocket frames."""

    def __init__(self, event: LoggedEvent) -> None:
        self.event = event
        self.position = event.position
        self.type = event.type
        self.subject = event.subject
        self._frames: dict[tuple[str, View], str] = {}

    @cached_property
    def data(self) -> Mapping[str, Any]:
        content = json.loads(self.event.data)
        return content if isinstance(content, dict) else {}

    @property
    def notification_kind(self) -> str | None:
        """The notification's kind; None for other events."""
        return self.data.get("kind") if self.type == NotificationCreated.type else None

    def changed_preferences(self, user_id: int) -> Mapping[str, Mapping[str, bool]] | None:
        """The user's channel preferences for every kind, if this event changes them."""
        if self.type == PreferencesChanged.type and self.data.get("user_id") == user_id:
            preferences: Mapping[str, Mapping[str, bool]] = self.data["preferences"]
            return preferences
        return None

    @cached_property
    def revoked_credential(self) -> str | None:
        """What this event invalidates: `session/…`, `key/…`, or `user/…` for all access tokens of a user."""
        if self.type == SessionRevoked.type:
            return f"session/{self.data.get('session_id')}"
        if self.type == ApiKeyRevoked.type:
            return f"key/{self.data.get('api_key_id')}"
        event_class = EVENTS.get(self.type)
        if event_class is None or not issubclass(event_class, UserState) or event_class is UserRegistered:
            return None
        if event_class is UserUpdated and _TOKEN_FIELDS.isdisjoint(self.data.get("changes") or ()):
            return None
        return f"user/{self.data.get('user_id')}"

    def to_sse(self, view: View) -> str:
        """A server-sent event: its id is the cursor of the feed, its name the event type."""
        key = ("sse", view)
        if key not in self._frames:
            data = _to_one_line(self.event.to_json(view))
            self._frames[key] = f"id: {self.event.to_cursor()}\nevent: {self.type}\ndata: {data}\n\n"
        return self._frames[key]

    def to_websocket_message(self, view: View) -> str:
        """A WebSocket message: `{id, event, data}`."""
        key = ("websocket", view)
        if key not in self._frames:
            head = json.dumps({"id": self.event.to_cursor(), "event": self.type}, separators=(",", ":"))
            data = self.event.to_json(view)
            self._frames[key] = f'{head[:-1]},"data":{data}}}'
        return self._frames[key]


def _to_one_line(document: str) -> str:
    """Other producers' JSON may contain line breaks between its tokens, which would end the SSE field."""
    return document.replace("\r", " ").replace("\n", " ")
