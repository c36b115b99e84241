"""A live subscription to the log: the events that one caller may see, in order, without gap or repeat, until the
caller's session ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.live_event import LiveEvent
from stockbuddy.notifications.event_log.patterns import matches_any
from stockbuddy.notifications.event_log.tail import LogTail
from stockbuddy.notifications.event_log.visibility import visibility_for
from stockbuddy.notifications.preferences.queries import muted_kinds

MAX_BATCH_SIZE = 200
"""Bounds the memory of one subscription: the next batch is built when the client has read the previous one."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events to send, perhaps none; `last_event_id` is the position that the client has then read."""

    events: Sequence[LiveEvent]
    last_event_id: int


class EventSubscription:
    """`types` are patterns; `after` is the position of the client's last event, None to start at the head."""

    def __init__(self, tail: LogTail, caller: Principal, types: tuple[str, ...], after: int | None) -> None:
        self._tail = tail
        self._caller = caller
        self._types = types
        self._after = after
        self._muted: frozenset[str] = frozenset()
        self.visibility = visibility_for(caller)

    @property
    def is_closed_by_server(self) -> bool:
        """True if it ended because the process shuts down, not because the session ended."""
        return self._tail.is_closed

    async def batches(self, keepalive_seconds: float) -> AsyncIterator[EventBatch]:
        """Yields at the start, whenever there are events, and after `keepalive_seconds` without any."""
        async with self._tail.subscribe():
            started_at = self._tail.position
            position = started_at if self._after is None else self._after
            await self._load_muted()
            yield EventBatch((), position)
            while not self._has_ended(started_at):
                has_events = await self._wait_beyond(position, keepalive_seconds)
                recent = self._tail.recent_after(position, MAX_BATCH_SIZE) if has_events else ()
                batch = await self._catch_up(position) if recent is None else self._select(recent, position)
                if self._has_ended(started_at):
                    return
                position = batch.last_event_id
                if batch.events or not has_events:
                    yield batch

    def _has_ended(self, started_at: int) -> bool:
        has_expired = self._caller.accepted_until <= time.time()
        return has_expired or self._tail.is_closed or self._tail.is_revoked(self._caller, started_at)

    async def _wait_beyond(self, position: int, timeout_seconds: float) -> bool:
        """True once there are events after `position`, False after the timeout or when the token has expired."""
        lifetime_seconds = max(0.0, self._caller.accepted_until - time.time())
        try:
            async with asyncio.timeout(min(timeout_seconds, lifetime_seconds)):
                await self._tail.wait_beyond(position)
        except TimeoutError:
            return False
        return True

    def _select(self, events: Sequence[LiveEvent], position: int) -> EventBatch:
        selected = [event for event in events if self._includes(event)]
        return EventBatch(selected, events[-1].position if events else position)

    async def _catch_up(self, position: int) -> EventBatch:
        """Read the next batch from the log itself."""
        async with self._tail.catch_up_session() as session:
            found = await queries.read_visible(session, self.visibility, self._types, position, MAX_BATCH_SIZE)
        await self._load_muted()
        selected = [live for event in found.events if self._includes(live := LiveEvent(event))]
        return EventBatch(selected, found.position)

    def _includes(self, event: LiveEvent) -> bool:
        if (preferences := event.changed_preferences(self._caller.user_id)) is not None:
            self._muted = frozenset(kind for kind, channels in preferences.items() if not channels["in_app"])
        return (
            matches_any(self._types, event.type)
            and self.visibility.includes(event.type, event.subject)
            and event.notification_kind not in self._muted
        )

    async def _load_muted(self) -> None:
        async with self._tail.catch_up_session() as session:
            self._muted = await muted_kinds(session, self._caller.user_id)
