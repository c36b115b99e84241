"""One live reader of the log: what it may see, in order, without gap or repeat, until its session is over."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.tail import Feed
from stockbuddy.notifications.event_log.live_event import LiveEvent
from stockbuddy.notifications.event_log.patterns import matches_any
from stockbuddy.notifications.event_log.visibility import visibility_of
from stockbuddy.notifications.preferences.queries import muted_kinds

AT_ONCE = 200
"""So much is put together for one reader before it has taken what came before."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Some events to pass on, perhaps none; `position` is how far the reader has then come."""

    events: Sequence[LiveEvent]
    position: int


class Listener:
    """`types` are patterns; `position` is that of the last event that the reader has, or null to begin now."""

    def __init__(self, feed: Feed, caller: Principal, types: tuple[str, ...], position: int | None) -> None:
        self._feed = feed
        self._caller = caller
        self._types = types
        self._position = position
        self._muted: frozenset[str] = frozenset()
        self.visibility = visibility_of(caller)

    @property
    def is_sent_away(self) -> bool:
        """True when it is not the reader's session that is over, but this process."""
        return self._feed.is_closed

    async def progress(self, pause_seconds: float) -> AsyncIterator[Progress]:
        """Yields at the start, whenever there is news, and after `pause_seconds` without any; ends with the session."""
        async with self._feed.listen():
            since = self._feed.position
            position = since if self._position is None else self._position
            await self._look_up_muted()
            yield Progress((), position)
            while not self._is_over(since):
                caught_up = await self._wait(position, pause_seconds)
                recent = self._feed.after(position, AT_ONCE) if caught_up else ()
                step = await self._catch_up(position) if recent is None else self._choose(recent, position)
                if self._is_over(since):
                    return
                position = step.position
                if step.events or not caught_up:
                    yield step

    def _is_over(self, since: int) -> bool:
        has_expired = self._caller.expires_at <= time.time()
        return has_expired or self._feed.is_closed or self._feed.has_ended(self._caller, since)

    async def _wait(self, position: int, pause_seconds: float) -> bool:
        """True as soon as there is something behind `position`, false when the pause is over."""
        left_seconds = max(0.0, self._caller.expires_at - time.time())
        try:
            async with asyncio.timeout(min(pause_seconds, left_seconds)):
                await self._feed.beyond(position)
        except TimeoutError:
            return False
        return True

    def _choose(self, events: Sequence[LiveEvent], position: int) -> Progress:
        chosen = [event for event in events if self._wants(event)]
        return Progress(chosen, events[-1].position if events else position)

    async def _catch_up(self, position: int) -> Progress:
        """From the log itself, in pieces."""
        async with self._feed.reading() as session:
            stretch = await queries.read_visible(session, self.visibility, self._types, position, AT_ONCE)
        await self._look_up_muted()
        chosen = [live for event in stretch.events if self._wants(live := LiveEvent(event))]
        return Progress(chosen, stretch.position)

    def _wants(self, event: LiveEvent) -> bool:
        if (wishes := event.preferences_of(self._caller.user_id)) is not None:
            self._muted = frozenset(kind for kind, wish in wishes.items() if not wish["in_app"])
        return (
            matches_any(self._types, event.type)
            and self.visibility.includes(event.type, event.subject)
            and event.notification_kind not in self._muted
        )

    async def _look_up_muted(self) -> None:
        async with self._feed.reading() as session:
            self._muted = await muted_kinds(session, self._caller.user_id)
