"""Events as they happen: server-sent events that resume, and the feed where no stream is possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from stockbuddy_client import exact
from stockbuddy_client._sync.clock import sleep
from stockbuddy_client._sync.transport import Transport
from stockbuddy_client.errors import CursorAhead, TooManyStreams, Unauthenticated
from stockbuddy_client.problems import ApiError, ConnectionFailed, InvalidResponse, StockbuddyError
from stockbuddy_client.retries import RETRIED_STATUSES, delay_seconds

if TYPE_CHECKING:
    from stockbuddy_client.types import CloudEvent

IDLE_SECONDS = 45.0
"""The server sends a comment every 15 s."""
MAX_STREAM_FAILURES = 2
FEED_SECONDS = 60.0
"""How long the feed is read before the stream is tried again."""
FEED_WAIT_SECONDS = 10
POLL_INTERVAL_SECONDS = 2.0
STREAM_REFUSED = frozenset({404, 405, 406, 501}) | RETRIED_STATUSES
BEYOND_THE_HEAD = "9" * 18
RESET_TYPE = "stream.reset"


class Events:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def stream(self, *, after: str | None = None, types: Sequence[str] = ()) -> EventStream:
        """`after`: a cursor, or None for what happens from now on. `types`: patterns such as `stock.*`."""
        return EventStream(self._transport, after, types)


class EventStream:
    """Iterate over its events, each at least once and in order. `cursor` is the position after the last event: store it
    after the event has been handled. An event of the type `stream.reset` means that the server was restored from a
    backup: read again what you keep."""

    def __init__(self, transport: Transport, after: str | None, types: Sequence[str]) -> None:
        self.cursor = after
        self._transport = transport
        self._types = ",".join(types) or None
        self._feed_wait = FEED_WAIT_SECONDS
        self._renewed: object = None

    def __iter__(self) -> Iterator[CloudEvent]:
        failures = 0
        while True:
            try:
                for event in self._read_stream():
                    failures = 0
                    yield event
                failures = 0
            except Unauthenticated as error:
                self._renew(error)
                continue
            except StockbuddyError as error:
                failures += _failures_of(error)
            if failures >= MAX_STREAM_FAILURES:
                for event in self._read_feed():
                    yield event
            sleep(delay_seconds(failures, None))

    def _renew(self, error: Unauthenticated) -> None:
        """The access token of a stream that is open for long has expired. A second refusal in a row is final."""
        authenticator = self._transport.authenticator
        rejected = authenticator.headers()
        if rejected == self._renewed or not authenticator.renew(rejected):
            raise error
        self._renewed = authenticator.headers()

    def _read_stream(self) -> Iterator[CloudEvent]:
        """Frames of server-sent events. The comment at the beginning has the start position."""
        identifier, data = "", ""
        params = {"after": self.cursor, "types": self._types}
        with self._transport.stream("/stream", params, IDLE_SECONDS) as lines:
            for line in lines:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if not name and value.startswith("id "):
                    self.cursor = self.cursor or value.removeprefix("id ")
                elif name == "id":
                    identifier = value
                elif name == "data":
                    data += value
                elif not line and data:
                    event = exact.decode(data.encode())
                    self.cursor, data = identifier, ""
                    yield _reset(identifier) if "head" in event else event

    def _read_feed(self) -> Iterator[CloudEvent]:
        until = monotonic() + FEED_SECONDS
        while monotonic() < until:
            params = {
                "after": self.cursor or BEYOND_THE_HEAD, "types": self._types or "stock.*,notifications.notification.*",
                "wait": self._feed_wait,
            }  # fmt: skip
            try:
                page = self._transport.request("GET", "/events", params=params)
            except CursorAhead as error:
                is_reset, self.cursor = self.cursor is not None, error.head
                if is_reset:
                    yield _reset(error.head)
                continue
            except TooManyStreams:
                self._feed_wait = 0
                sleep(POLL_INTERVAL_SECONDS)
                continue
            for event in page["items"]:
                yield event
            self.cursor = page["next_cursor"]
            if not page["items"] and not self._feed_wait:
                sleep(POLL_INTERVAL_SECONDS)


def _failures_of(error: Exception) -> int:
    """How much an error counts until the feed is read instead. Raises what neither of them can cure."""
    if isinstance(error, ConnectionFailed):
        return 1
    if isinstance(error, InvalidResponse) or (isinstance(error, ApiError) and error.status in STREAM_REFUSED):
        return MAX_STREAM_FAILURES
    raise error


def _reset(head: str) -> CloudEvent:
    event: Any = {"type": RESET_TYPE, "data": {"head": head}}
    return cast("CloudEvent", event)
