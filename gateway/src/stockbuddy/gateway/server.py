"""The HTTP server at the public port: uvicorn, with limits for clients that are slow, oversized or malformed."""

import asyncio
from typing import Any

import uvicorn
from prometheus_client import start_http_server
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stockbuddy.chassis.http.errors import PROBLEM_JSON, BadRequest, Problem, problem_response
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.gateway.headers import new_request_id
from stockbuddy.gateway.proxy.proxy import STREAMING
from stockbuddy.gateway.proxy.websocket_proxy import MAX_MESSAGE_BYTES
from stockbuddy.gateway.settings import GatewaySettings

MAX_HEAD_BYTES = 64 * 1024
"""The parser itself sets no limit."""
MAX_HEADERS = 200
LINGER_SECONDS = 1.0
REQUEST_TIMEOUT_SECONDS = 600.0
"""Upper bound for receiving a whole request; routes set lower limits."""


class HeadTooLarge(Problem):
    """The head of the request is too large."""

    status = 431
    code = "head_too_large"


class LimitedProtocol(HttpToolsProtocol):
    """Closes connections on which the head or the whole request does not arrive in time, rejects heads without end, and
    responds to data that is not HTTP with a problem."""

    header_timeout_seconds = 10.0
    client_read_timeout_seconds = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._receiving = False
        self._rejected = False
        self._receive_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer(self.header_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._rejected:
            return
        super().data_received(data)
        if self._head_bytes:
            # Still inside a head. All data counts, also what the parser has not yet reported as a header.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._reject(HeadTooLarge())
            elif self._receive_timer is None:
                self._start_timer(self.header_timeout_seconds)
        elif self._receiving and self._receive_timer is None:
            self._start_timer(REQUEST_TIMEOUT_SECONDS)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving = True
        self._head_bytes = 1

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._receiving = False
        self._stop_timer()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._send_timer = self.loop.call_later(self.client_read_timeout_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
        super().resume_writing()

    def shutdown(self) -> None:
        """Close open streams, which would delay the shutdown; their clients reconnect to another replica."""
        if self.cycle is not None and STREAMING in self.cycle.scope:
            self.transport.close()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        self._reject(BadRequest("This is not an HTTP request."))

    def _reject(self, problem: Problem) -> None:
        """Respond and ignore further data for a moment. Closing at once while the client still sends would reset the
        connection, and the client might lose the response (RFC 9112 §9.6)."""
        self._rejected = True
        self._receiving = False
        self._head_bytes = 0
        self._stop_timer()
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # a response is in progress, no other can be sent
        elif not self.transport.is_closing():
            self.transport.write(_encode(problem))
            self.transport.write_eof()
            self._start_timer(LINGER_SECONDS)

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


def _encode(problem: Problem) -> bytes:
    with event_context(EventContext(request_id=new_request_id().decode())):
        body = bytes(problem_response(problem).body)
    head = STATUS_LINE[problem.status] + b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (PROBLEM_JSON.encode(), len(body)) + body


def server_config(app: ASGIApp, settings: GatewaySettings) -> uvicorn.Config:
    """uvicorn's configuration for a gateway, alone or in one process with the services."""
    timeouts = {
        "header_timeout_seconds": settings.header_timeout_seconds,
        "client_read_timeout_seconds": settings.client_read_timeout_seconds,
    }
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=type("Protocol", (LimitedProtocol,), timeouts),
        log_config=None,
        access_log=False,
        proxy_headers=False,  # ClientAddresses decides which proxies are trusted
        server_header=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        timeout_keep_alive=settings.keep_alive_timeout_seconds,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )


def serve(app: ASGIApp, settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are completed first."""
    configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    prepare_to_serve()
    DrainingServer(server_config(app, settings)).run()
