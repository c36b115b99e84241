"""One kept-alive HTTP/1.1 connection to a replica, one request at a time (RFC 9112).

Written on asyncio's transport because this is the gateway's hot path: with the parser that the server uses, a proxied
request costs a third of what it does with a full HTTP client (docs/adr/0006).
"""

import asyncio
from typing import cast

import httptools

MAX_BUFFERED_BYTES = 256 * 1024
"""Reading from the service pauses while the client has this much left to read."""

Headers = list[tuple[bytes, bytes]]


class ConnectionBroken(Exception):
    """The connection closed before the response was complete."""


class ResponseTimeout(Exception):
    """The service sent nothing, or read nothing, for too long."""


class Connection(asyncio.Protocol):
    """Call `send_request`, then `read_head`, then `read_body` until it returns b"". Afterwards the connection
    `is_reusable`, unless one side wants to close it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._paused = False
        self._timed_out = False
        self.is_reused = False
        """A response was received before: a failure may only mean that the service closed an idle connection."""
        self.idle_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timeout_seconds = 0.0
        self._waiting_since = 0.0
        self._head_only = False
        self.complete = False
        self._expect_response(head_only=False)
        self._parser = None  # no response is expected yet

    # Called by the upstream.

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        return self.complete and self._keep_alive and self._request_sent and self.is_open

    def send_request(self, request: bytes, *, head_only: bool, whole: bool = True) -> None:
        """`whole` is False if chunks of the body follow through `send_chunk`. Raises ConnectionBroken if the service
        has closed the connection since it was established."""
        self._expect_response(head_only=head_only)
        self._request_sent = whole
        if self._transport is None:
            raise ConnectionBroken
        self._transport.write(request)

    async def send_chunk(self, chunk: bytes, *, last: bool, timeout_seconds: float) -> None:
        """Wait while the service reads more slowly than the client writes. Raises ResponseTimeout, ConnectionBroken."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionBroken
        self._transport.write(chunk)
        self._request_sent = last
        self._waiting_since = self._loop.time()
        if self._writable is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._writable), timeout_seconds)
            except TimeoutError as error:
                raise ResponseTimeout from error

    async def read_head(self, timeout_seconds: float) -> None:
        """Set `status` and `headers`. The timeout starts at the end of the request. Waits for the first byte of a body
        of known size, too: if the service fails between head and body, the client must not receive half a response."""
        while not self.head_complete or self._awaits_body():
            await self._wait(timeout_seconds)
        self.is_reused = True

    async def read_body(self, timeout_seconds: float) -> bytes:
        """Everything received so far, waiting for the first byte; b"" at the end."""
        while not self._chunks:
            if self.complete:
                return b""
            await self._wait(timeout_seconds)
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered_bytes = 0
        if self._paused:
            self._paused = False
            if self._transport is not None:
                self._transport.resume_reading()
        return body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _awaits_body(self) -> bool:
        return not self._chunks and not self.complete and any(name == b"content-length" for name, _ in self.headers)

    # Waiting: one future at a time, resolved by the first event.

    async def _wait(self, timeout_seconds: float) -> None:
        if self._timed_out:
            raise ResponseTimeout
        if not self.is_open:
            raise ConnectionBroken
        self._timeout_seconds = timeout_seconds
        self._waiting_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(timeout_seconds, self._on_timer)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _on_timer(self) -> None:
        """Rescheduled lazily: a timer per read would cost more than the rest of this class, so the timer keeps running
        between reads, may fire early, and is then rescheduled for the remaining time."""
        self._timer = None
        if self._waiter is None:
            return
        now = self._loop.time()
        if not self._request_sent:
            self._waiting_since = now  # the response timeout starts at the end of the request
        seconds_left = self._waiting_since + self._timeout_seconds - now
        if seconds_left > 0:
            self._timer = self._loop.call_later(seconds_left, self._on_timer)
        else:
            self._timed_out = True
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expect_response(self, *, head_only: bool) -> None:
        if self._parser is None or self._head_only:
            # A parser can be reused, unless it still expects the body that a response to HEAD does not have.
            self._parser = httptools.HttpResponseParser(self)
        self._head_only = head_only
        self._keep_alive = False
        self._request_sent = True
        self._ends_with_connection = False
        self._chunks: list[bytes] = []
        self._buffered_bytes = 0
        self.status = 0
        self.headers: Headers = []
        self.head_complete = False
        self.complete = False

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self.complete:
            self.close()  # unsolicited data
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

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_complete:
            return  # a trailer (RFC 9110 §6.5.1)
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser = cast(httptools.HttpResponseParser, self._parser)
        self.status = parser.get_status_code()
        if self.status < 200:
            self.headers = []  # an interim response (RFC 9110 §15.2); the final one follows
            return
        self._keep_alive = parser.should_keep_alive()
        self.head_complete = True
        if self._head_only:
            self.complete = True
        elif not self._keep_alive:
            self._ends_with_connection = not _is_framed(self.headers)
        self._wake()

    def on_body(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._buffered_bytes += len(chunk)
        if self._buffered_bytes > MAX_BUFFERED_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self.head_complete:
            self.complete = True
            self._wake()


def _is_framed(headers: Headers) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)
