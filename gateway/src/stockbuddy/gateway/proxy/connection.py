"""One kept-alive HTTP/1.1 connection to a replica, one request at a time (RFC 9112).

Written on the bare transport because this is the gateway's hot path: with the same parser as the server's, a proxied
request costs a third of what it does through a full client library (docs/adr/0006).
"""

import asyncio
from typing import cast

import httptools

HIGH_WATER_BYTES = 256 * 1024
"""So much of an answer may wait for a slow client before reading from the service pauses."""

Headers = list[tuple[bytes, bytes]]


class ConnectionBroken(Exception):
    """The connection ended before the answer did."""


class AnswerLate(Exception):
    """The service is silent for too long."""


class Connection(asyncio.Protocol):
    """Call `send_request`, then `read_head`, then `read_body` until it returns b""; then `is_reusable` holds again
    unless either side wants to close."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._paused = False
        self._late = False
        self.was_used = False
        self.idle_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._patience_seconds = 0.0
        self._waiting_since = 0.0
        self._head_only = False
        self.complete = False
        self._expect_answer(head_only=False)
        self._parser = None  # nothing is expected yet

    # What the upstream calls.

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        return self.complete and self._keep_alive and self._request_sent and self.is_open

    def send_request(self, request: bytes, *, head_only: bool, whole: bool = True) -> None:
        """`whole` is false when pieces of the body follow through `send_piece`."""
        self._expect_answer(head_only=head_only)
        self._request_sent = whole
        cast(asyncio.Transport, self._transport).write(request)

    async def send_piece(self, piece: bytes, *, last: bool, seconds: float) -> None:
        """Waits while the service reads more slowly than the client writes, but no longer than `seconds`."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionBroken
        self._transport.write(piece)
        self._request_sent = last
        self._waiting_since = self._loop.time()
        if self._writable is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._writable), seconds)
            except TimeoutError as error:
                raise AnswerLate from error

    async def read_head(self, seconds: float) -> None:
        """Afterwards `status` and `headers` are there. The clock runs from the end of the request."""
        while not self.head_complete:
            await self._wait(seconds)
        self.was_used = True

    async def read_body(self, seconds: float) -> bytes:
        """All that has arrived, or as soon as something does; b"" at the end."""
        while not self._pieces:
            if self.complete:
                return b""
            await self._wait(seconds)
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting_bytes = 0
        if self._paused:
            self._paused = False
            if self._transport is not None:
                self._transport.resume_reading()
        return body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # How waiting works: one future at a time, set by whatever happens first.

    async def _wait(self, seconds: float) -> None:
        if self._late:
            raise AnswerLate
        if not self.is_open:
            raise ConnectionBroken
        self._patience_seconds = seconds
        self._waiting_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._look_at_the_clock)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _look_at_the_clock(self) -> None:
        """The timer is left running from one wait to the next, because setting one for each would cost more than all
        else here; so it comes early, and finds out how long there is still to wait."""
        self._timer = None
        if self._waiter is None:
            return
        now = self._loop.time()
        if not self._request_sent:
            self._waiting_since = now  # the clock for the answer runs from the end of the request
        left = self._waiting_since + self._patience_seconds - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._look_at_the_clock)
        else:
            self._late = True
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expect_answer(self, *, head_only: bool) -> None:
        if self._parser is None or self._head_only:
            # A parser can be used for the next answer too, unless it waits for a body that HEAD does not get.
            self._parser = httptools.HttpResponseParser(self)
        self._head_only = head_only
        self._keep_alive = False
        self._request_sent = True
        self._ends_with_connection = False
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self.status = 0
        self.headers: Headers = []
        self.head_complete = False
        self.complete = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self.complete:
            self.close()  # an answer that nobody asked for
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ends_with_connection and exc is None:
            self.complete = True
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser = cast(httptools.HttpResponseParser, self._parser)
        self.status = parser.get_status_code()
        if self.status < 200:
            self.headers = []  # an interim answer (RFC 9110 §15.2): the one that counts follows
            return
        self._keep_alive = parser.should_keep_alive()
        self.head_complete = True
        if self._head_only:
            self.complete = True
        elif not self._keep_alive:
            self._ends_with_connection = not _is_framed(self.headers)
        self._wake()

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > HIGH_WATER_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self.head_complete:
            self.complete = True
            self._wake()


def _is_framed(headers: Headers) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)
