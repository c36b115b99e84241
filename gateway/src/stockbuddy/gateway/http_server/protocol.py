"""uvicorn's HTTP protocol with a frame around every request: no byte of one is ever read as part of another.

An upgrade that is not taken is ignored (RFC 9110 §7.8), trailers never become headers (§6.5.1), a connection in doubt
is closed, and every state of a connection has a time limit.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stockbuddy.chassis.http.errors import BadRequest, Problem
from stockbuddy.gateway.http_server.exchange import Exchange
from stockbuddy.gateway.http_server.problems import encode_problem
from stockbuddy.gateway.http_server.received_bytes import ReceivedBytes, Stage
from stockbuddy.gateway.http_server.request_head import (
    MAX_HEADERS,
    MAX_URL_BYTES,
    HeadTooLarge,
    RequestHead,
    UrlTooLong,
)
from stockbuddy.gateway.proxy.proxy import STREAMING
from stockbuddy.gateway.routing.routes import is_websocket_path

LINGER_TIMEOUT_SECONDS = 5.0
MAX_LINGER_BYTES = 16 * 1024 * 1024
REQUEST_TIMEOUT_SECONDS = 600.0
"""Upper bound for receiving a whole request; routes set lower limits."""


class LimitedProtocol(HttpToolsProtocol):
    """Closes connections on which the head or the whole request does not arrive in time, rejects heads without end, and
    responds to data that is not HTTP with a problem."""

    header_timeout_seconds = 10.0
    client_read_timeout_seconds = 60.0

    cycle: Exchange | None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self.headers = []
        self._stage = Stage.BETWEEN
        self._head: RequestHead | None = None
        """Of the request that is being received, once it is complete."""
        self._running: Exchange | None = None
        """`cycle` is the last request received; the ones before it are answered first."""
        self._takes_upgrade = False
        self._received = ReceivedBytes()
        self._is_closing = False
        """Further data is ignored."""
        self._final_problem: Problem | None = None
        """Sent after the responses to the requests before."""
        self._linger_bytes = 0
        self._receive_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self.server_state.default_headers

    @property
    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # Called by the transport.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer(self.header_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._unset_keepalive_if_required()
        self.resume_writing()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client may close its side after the request and still read the response. A stream ends instead: such a
        client has gone."""
        if self.cycle is None or not self._is_busy or self._stage is not Stage.BETWEEN or STREAMING in self.cycle.scope:
            return False
        self.cycle.keep_alive = False
        return self.scheme == "http"  # TLS has no half-closed connections in asyncio

    def data_received(self, data: bytes) -> None:
        if self._is_closing:
            self._linger_bytes += len(data)
            if self._linger_bytes > MAX_LINGER_BYTES:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        self._received.begin_packet(len(data), self._stage)
        try:
            self._parse(data)
            self._received.end_packet(self._stage, self.url, self.headers)
        except Problem as problem:
            self._reject(problem)
        else:
            self._set_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._send_timer = self.loop.call_later(self.client_read_timeout_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
        super().resume_writing()

    # Called by the server.

    def shutdown(self) -> None:
        """Close open streams, which would delay the shutdown; their clients reconnect to another replica."""
        if self.cycle is not None and STREAMING in self.cycle.scope:
            self.transport.close()
        super().shutdown()

    # Called by the exchange.

    def on_exchange_complete(self, exchange: Exchange) -> None:
        if not exchange.keep_alive or (self._is_closing and not self.pipeline):
            self.server_state.total_requests += 1
            self._close()
        else:
            self._running = self.pipeline[-1][0] if self.pipeline else None  # type: ignore[assignment]
            self.on_response_complete()

    # Parsing. Problems raised in the parser's callbacks arrive as the context of its error.

    def _parse(self, data: bytes) -> None:
        """Raises a Problem for which the connection must be closed."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self._takes_upgrade:
                    self._stop_timer()
                    self.handle_websocket_upgrade()
                    self._is_closing = True
                    return
                data = self._ignore_upgrade() + data[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                cause = error.__context__
                raise cause if isinstance(cause, Problem) else BadRequest("This is not an HTTP request.") from error
            else:
                return

    def _ignore_upgrade(self) -> bytes:
        """The head to parse again. The parser stops after a head that asks for an upgrade, and has no option to read
        the body that belongs to it."""
        assert self._head is not None
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return self._head.without_upgrade()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._received.begin_head(self._stage)
        self._stage = Stage.HEAD
        self._head = None

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            raise UrlTooLong

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is not None:
            return  # a trailer
        if len(self.headers) >= MAX_HEADERS:
            raise HeadTooLarge
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        head = RequestHead(self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers)
        self._head = head
        self._received.end_head(head)
        self._stop_timer()
        head.check()
        path, query = head.split_target()
        self.scope["method"] = head.method.decode("ascii")
        if self.parser.should_upgrade():
            self._takes_upgrade = head.is_websocket_handshake and not self._is_busy and is_websocket_path(path)
            return
        self._stage = Stage.BODY
        self.scope["http_version"] = head.version
        self.scope["path"] = unquote(path.decode("ascii"))
        self.scope["raw_path"] = path
        self.scope["query_string"] = query
        self._start_exchange(head)

    def _start_exchange(self, head: RequestHead) -> None:
        exchange = Exchange(
            self,
            self.scope,  # type: ignore[arg-type]
            keep_alive=head.version == "1.1" and self.parser.should_keep_alive(),
            declared_bytes=head.declared_bytes,
            expects_continue=head.expects_continue,
        )
        is_pipelined = self._is_busy
        self.cycle = exchange
        if is_pipelined:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type]
        else:
            self._running = exchange
            self._start_asgi_task(exchange, self.app)  # type: ignore[arg-type]

    def on_chunk_header(self) -> None:
        self._received.add_chunk_header()

    def on_body(self, body: bytes) -> None:
        self._received.add_body(len(body))
        if self.cycle is not None:
            self.cycle.add_body(body)

    def on_message_complete(self) -> None:
        if self._stage is not Stage.BODY:
            return  # the head asks for an upgrade
        self._stage = Stage.BETWEEN
        self._stop_timer()
        if self.cycle is not None:
            self.cycle.end_body()

    # Limits.

    def _set_timer(self) -> None:
        """Every state in which data is expected has a timer; a response in progress has its own limits."""
        if self._receive_timer is not None or self._is_closing:
            return
        if self._stage is Stage.BODY:
            self._start_timer(REQUEST_TIMEOUT_SECONDS)
        elif self._stage is Stage.HEAD or not self._is_busy:
            self._start_timer(self.header_timeout_seconds)

    def _start_timer(self, seconds: float) -> None:
        self._receive_timer = self.loop.call_later(seconds, self._on_timeout)

    def _stop_timer(self) -> None:
        if self._receive_timer is not None:
            self._receive_timer.cancel()
            self._receive_timer = None

    def _on_timeout(self) -> None:
        self._receive_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    # Closing.

    def _reject(self, problem: Problem) -> None:
        """Respond to data that is no request. A request whose body is malformed gets the problem from `receive`."""
        self._is_closing = True
        self._stop_timer()
        if self._stage is Stage.BODY and self.cycle is not None:
            self.cycle.fail(problem)
        else:
            self._final_problem = problem
        if not self._is_busy:
            self._close()

    def _close(self) -> None:
        """Ignore further data for a while. Closing at once while the client still sends would reset the connection, and
        the client might lose the response (RFC 9112 §9.6)."""
        self._is_closing = True
        if self.transport.is_closing():
            return
        if self._final_problem is not None:
            self.transport.write(encode_problem(self._final_problem))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        elif self._stage is Stage.BETWEEN:
            self.transport.close()  # nothing more is expected
            return
        self._stop_timer()
        self.flow.resume_reading()
        self._start_timer(LINGER_TIMEOUT_SECONDS)
