"""The HTTP server at the public port: uvicorn, made strict with clients that are slow, oversized or malformed."""

import asyncio
from typing import Any, cast

import structlog
import uvicorn
from prometheus_client import start_http_server
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stockbuddy.chassis.http.errors import PROBLEM_JSON, BadRequest, Problem, problem_response
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.messaging.event_context import EventContext, event_context
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.gateway.admission.incoming import new_request_id
from stockbuddy.gateway.edge import ENDLESS
from stockbuddy.gateway.settings import GatewaySettings
from stockbuddy.gateway.upstream.websocket import MESSAGE_BYTES

log = structlog.get_logger(__name__)

MOST_HEADER_BYTES = 64 * 1024
"""Of one request's head; the parser itself sets no limit."""
LINGER_SECONDS = 1.0
REQUEST_SECONDS = 600.0
"""From the first byte to the last of a request, whatever becomes of it; routes are stricter."""


class JoinedWrites:
    """A transport that sends the head of an answer together with what follows at once: one packet instead of two,
    and one wake-up of the client."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head is not None:
            data = self._head + data
            self._head = None
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._send_head)
            return
        self._transport.write(data)

    def _send_head(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)

    def close(self) -> None:
        self._send_head()
        self._transport.close()

    def write_eof(self) -> None:
        self._send_head()
        self._transport.write_eof()


class HeadTooLarge(Problem):
    """The head of the request is larger than is accepted here."""

    status = 431
    code = "head_too_large"


class StrictProtocol(HttpToolsProtocol):
    """Closes connections on which no whole head, or no whole request, arrives in time (slow clients hold connections,
    not memory), refuses heads without end, and answers what is not HTTP with a problem document."""

    header_seconds = 10.0
    reading_seconds = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._receiving = False
        self._refused = False
        self._patience: asyncio.TimerHandle | None = None
        self._reader_patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._wait_at_most(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._head_bytes:
            # Still inside a head: what has come of it counts, also the part that the parser has not named yet.
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEADER_BYTES:
                self._answer_and_close(HeadTooLarge())
            elif self._patience is None:
                self._wait_at_most(self.header_seconds)
        elif self._receiving and self._patience is None:
            self._wait_at_most(REQUEST_SECONDS)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving = True
        self._head_bytes = 1

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= 200:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self._wait_no_more()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._receiving = False
        self._wait_no_more()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_patience = self.loop.call_later(self.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._reader_patience is not None:
            self._reader_patience.cancel()
            self._reader_patience = None
        super().resume_writing()

    def shutdown(self) -> None:
        """Streams would go on until their clients leave; these come back by themselves, to another replica."""
        if self.cycle is not None and ENDLESS in self.cycle.scope:
            self.transport.close()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the server's word for it
        self._answer_and_close(BadRequest("This is not an HTTP request."))

    def _answer_and_close(self, problem: Problem) -> None:
        """Closing while the client still sends would reset the connection and so take the answer back
        (RFC 9112 §9.6): what else it says is ignored for a moment."""
        self._refused = True
        self._receiving = False
        self._head_bytes = 0
        self._wait_no_more()
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # in the middle of an exchange there is nothing left to say
        elif not self.transport.is_closing():
            self.transport.write(_on_the_wire(problem))
            self.transport.write_eof()
            self._wait_at_most(LINGER_SECONDS)

    def _wait_at_most(self, seconds: float) -> None:
        self._patience = self.loop.call_later(seconds, self._out_of_patience)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _out_of_patience(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()


def _on_the_wire(problem: Problem) -> bytes:
    with event_context(EventContext(request_id=new_request_id().decode())):
        body = bytes(problem_response(problem).body)
    head = STATUS_LINE[problem.status] + b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (PROBLEM_JSON.encode(), len(body)) + body


def server_config(app: ASGIApp, settings: GatewaySettings) -> uvicorn.Config:
    """How a gateway is served, also by whoever runs it in one process with the services."""
    patience = {"header_seconds": settings.header_seconds, "reading_seconds": settings.reading_seconds}
    protocol = type("Protocol", (StrictProtocol,), patience)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol,
        log_config=None,
        access_log=False,
        # The gateway itself decides which proxies it believes.
        proxy_headers=False,
        server_header=False,
        ws_max_size=MESSAGE_BYTES,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )


def serve(app: ASGIApp, settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT; requests at work are finished first."""
    configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    prepare_to_serve()
    uvicorn.Server(server_config(app, settings)).run()
