"""A live subscription to the log: the events that one caller may see, in order, without gap or repeat, until the
caller's credential ends."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.cursors import LogPosition
from stockbuddy.notifications.event_log.live_event import LiveEvent
from stockbuddy.notifications.event_log.patterns import matches_any
from stockbuddy.notifications.event_log.tail import LogTail
from stockbuddy.notifications.event_log.visibility import visibility_for
from stockbuddy.notifications.preferences.queries import muted_kinds

MAX_BATCH_SIZE = 200
"""Bounds the memory of one subscription: the next batch is built when the client has read the previous one."""


@dataclass(frozen=True, slots=True)
class SubscriptionStart:
    """Events after `position` follow. `is_reset`: the requested position is unknown, so it is the head instead."""

    position: LogPosition
    is_reset: bool


class EventSubscription:
    """`types` are patterns; `after` is the position of the client's last event, None to start at the head."""

    def __init__(self, tail: LogTail, caller: Principal, types: tuple[str, ...], after: LogPosition | None) -> None:
        self._tail = tail
        self._caller = caller
        self._types = types
        self._after = after
        self._position = self._opened_at = 0
        self._muted: frozenset[str] = frozenset()
        self.visibility = visibility_for(caller)

    @property
    def is_closed_by_server(self) -> bool:
        """True if it ended because the process shuts down, not because the session ended."""
        return self._tail.is_closed

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SubscriptionStart]:
        """While the block runs, `batches` may be called, and a revocation of the credential is noticed."""
        async with self._tail.subscribe():
            self._opened_at = self._tail.position
            async with self._tail.catch_up_session() as session:
                extent = await queries.read_extent(session)
                self._muted = await muted_kinds(session, self._caller.user_id)
            head = extent.head
            is_reset = self._after is not None and not extent.has_all_after(self._after)
            self._position = head.position if self._after is None or is_reset else self._after.position
            yield SubscriptionStart(LogPosition(head.epoch, self._position), is_reset)

    async def batches(self, keepalive_seconds: float) -> AsyncIterator[Sequence[LiveEvent]]:
        """Yields whenever there are events, and nothing after `keepalive_seconds` without any."""
        while not self._has_ended():
            has_events = await self._wait_beyond(keepalive_seconds)
            events = await self._next_batch() if has_events else ()
            if self._has_ended():
                return
            if events or not has_events:
                yield events

    @property
    def _lifetime_seconds(self) -> float:
        """Of the token. A renewed one has no end here: the gateway ends the stream with the credential."""
        return math.inf if self._caller.is_renewed else self._caller.accepted_until - clock.timestamp()

    def _has_ended(self) -> bool:
        return (
            self._lifetime_seconds <= 0 or self._tail.is_closed or self._tail.is_revoked(self._caller, self._opened_at)
        )

    async def _wait_beyond(self, timeout_seconds: float) -> bool:
        """True once there are further events, False after the timeout or when the token has expired."""
        try:
            async with asyncio.timeout(min(timeout_seconds, max(0.0, self._lifetime_seconds))):
                await self._tail.wait_beyond(self._position)
        except TimeoutError:
            return False
        return True

    async def _next_batch(self) -> Sequence[LiveEvent]:
        events = self._tail.recent_after(self._position, MAX_BATCH_SIZE)
        if events is None:
            events = await self._catch_up()
        elif events:
            self._position = events[-1].position
        return [event for event in events if self._includes(event)]

    async def _catch_up(self) -> Sequence[LiveEvent]:
        """Read the next batch from the log itself."""
        async with self._tail.catch_up_session() as session:
            head = await queries.read_head(session)
            after = LogPosition(head.epoch, self._position)
            found = await queries.read_visible(session, self.visibility, self._types, after, MAX_BATCH_SIZE)
            self._muted = await muted_kinds(session, self._caller.user_id)
        self._position = found.position.position
        return [LiveEvent(event) for event in found.events]

    def _includes(self, event: LiveEvent) -> bool:
        if (preferences := event.changed_preferences(self._caller.user_id)) is not None:
            self._muted = frozenset(kind for kind, channels in preferences.items() if not channels["in_app"])
        return (
            matches_any(self._types, event.type)
            and self.visibility.includes(event.type, event.subject)
            and event.notification_kind not in self._muted
        )
