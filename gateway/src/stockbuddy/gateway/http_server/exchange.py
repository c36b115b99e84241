"""One request and its response on a connection: the ASGI `receive` and `send` of the gateway's app (RFC 9112 §6, §9).

A response to a request whose body is not complete either waits a moment for a small rest, or closes the
connection: what follows on it might be the body or the next request.
"""

import asyncio
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp, Message
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE

from stockbuddy.chassis.http.errors import Problem, Unavailable
from stockbuddy.chassis.http.request_context import INTERRUPTED_DETAIL
from stockbuddy.gateway.http_server.problems import encode_problem

log = structlog.get_logger(__name__)

MAX_DRAINED_BYTES = 256 * 1024
DRAIN_TIMEOUT_SECONDS = 0.5
_WITHOUT_BODY = (204, 304)


class ConnectionControl(Protocol):
    """What an exchange needs of its connection."""

    transport: asyncio.Transport
    flow: FlowControl

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]: ...

    def on_exchange_complete(self, exchange: "Exchange") -> None:
        """Start the next request, or close the connection if `keep_alive` is False."""


class Exchange:
    """`keep_alive`: whether another request may follow on the connection."""

    def __init__(
        self,
        connection: ConnectionControl,
        scope: dict[str, Any],
        *,
        keep_alive: bool,
        declared_bytes: int | None,
        expects_continue: bool,
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.message_event = asyncio.Event()
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self._connection = connection
        self._unread_bytes = declared_bytes
        """Of the body, not yet received; None if it is chunked."""
        self._expects_continue = expects_continue
        self._failure: Problem | None = None
        self._discards_body = False
        self._sends_body = True
        self._chunked = False
        self._unsent_bytes: int | None = None
        """Of the response's body; None without a declared size."""

    # Called by the protocol.

    def add_body(self, body: bytes) -> None:
        if self._unread_bytes is not None:
            self._unread_bytes -= len(body)
        if self._discards_body or self.response_complete:
            return
        self.body += body
        if len(self.body) > HIGH_WATER_LIMIT:
            self._connection.flow.pause_reading()
        self.message_event.set()

    def end_body(self) -> None:
        self.more_body = False
        self.message_event.set()

    def fail(self, problem: Problem) -> None:
        """The rest of the body can't be read; `receive` raises `problem`."""
        self._failure = problem
        self.keep_alive = False
        self.message_event.set()

    async def run_asgi(self, app: ASGIApp) -> None:
        # An app that returns without a response lost its service after the head, which the compression still holds.
        problem: Problem = Unavailable(INTERRUPTED_DETAIL)
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:
            log.error("server.app_failed", exc_info=error)
            problem = Problem()
        if self._is_over:
            return
        if self.response_started:
            # Not closed in an orderly way, which would look like a complete response to an HTTP/1.0 client.
            self._connection.transport.abort()
        else:
            self._respond_with(problem)

    # ASGI.

    async def receive(self) -> Message:
        transport = self._connection.transport
        if self._expects_continue and not self.response_started and not transport.is_closing():
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._expects_continue = False
        if not self._is_over:
            self._connection.flow.resume_reading()
            await self._wait()
        while self._discards_body and not self._is_over:
            await self._wait()  # what is left of the body must not look like its end
        if self._failure is not None and not self.response_started:
            raise self._failure
        if self._is_over:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        flow = self._connection.flow
        if flow.write_paused and not self.disconnected:
            await flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            if self.more_body:
                await self._drain_request()
            self._start_response(message["status"], message.get("headers", ()))
        elif not self.response_complete:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError(f"{message['type']} after the end of the response")

    @property
    def _is_over(self) -> bool:
        return self.disconnected or self.response_complete

    async def _wait(self) -> None:
        await self.message_event.wait()
        self.message_event.clear()

    async def _drain_request(self) -> None:
        """Discard the rest of the body if it is small and arrives soon; otherwise the connection will be closed. A
        client that waits for 100 Continue may send the body or not, so nothing can follow on its connection either."""
        self._discards_body = True
        is_small = self._unread_bytes is None or self._unread_bytes <= MAX_DRAINED_BYTES
        if self.keep_alive and is_small and not self._expects_continue:
            self.body.clear()
            try:
                async with asyncio.timeout(DRAIN_TIMEOUT_SECONDS):
                    while self.more_body and not self.disconnected and self._failure is None:
                        self._connection.flow.resume_reading()
                        await self._wait()
            except TimeoutError:
                pass
        if self.more_body:
            self.keep_alive = False

    def _start_response(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.response_started = True
        lines = [STATUS_LINE[status]]
        for name, value in (*self._connection.default_headers, *headers):
            if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
                raise RuntimeError("invalid response header")
            if name == b"content-length":
                self._unsent_bytes = int(value)
            elif name == b"connection":
                self.keep_alive = self.keep_alive and b"close" not in value.lower()
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        if self.scope["method"] == "HEAD" or status in _WITHOUT_BODY:
            self._sends_body = False
        elif self._unsent_bytes is None and self.scope["http_version"] == "1.1":
            self._chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        elif self._unsent_bytes is None:
            self.keep_alive = False  # the end of the connection is the end of the body
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self._connection.transport.write(b"".join(lines))

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if not self._sends_body:
            body = b""
        elif self._chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = body if more else body + b"0\r\n\r\n"
        elif self._unsent_bytes is not None:
            self._unsent_bytes -= len(body)
            if self._unsent_bytes < 0 or (self._unsent_bytes and not more):
                raise RuntimeError("the response body differs from its Content-Length")
        if body:
            self._connection.transport.write(body)
        if not more:
            self.response_complete = True
            self.message_event.set()
            self._connection.on_exchange_complete(self)

    def _respond_with(self, problem: Problem) -> None:
        self.response_started = self.response_complete = True
        self.keep_alive = False
        self._connection.transport.write(encode_problem(problem))
        self._connection.on_exchange_complete(self)
