"""The HTTP server at the public port: uvicorn, with limits for clients that are slow, oversized or malformed."""

import socket
import ssl
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.ports import check_ports_or_exit
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.gateway.http_server.plain_http import PlainHttpDetector
from stockbuddy.gateway.http_server.protocol import LimitedProtocol
from stockbuddy.gateway.internal_port import InternalPort
from stockbuddy.gateway.proxy.websocket_proxy import MAX_MESSAGE_BYTES
from stockbuddy.gateway.settings import GatewaySettings


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
        ssl_context_factory=_tls_context if settings.tls_certificate_file else None,
        timeout_keep_alive=settings.keep_alive_timeout_seconds,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )


def _tls_context(_: uvicorn.Config, create_default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = create_default()
    context.sslobject_class = PlainHttpDetector
    return context


class GatewayServer(DrainingServer):
    """The public port, with the internal one if it is configured."""

    def __init__(self, config: uvicorn.Config, settings: GatewaySettings) -> None:
        super().__init__(config)
        self._internal = InternalPort(settings.host, settings.metrics_port) if settings.metrics_port else None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._internal is not None:
            await self._internal.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self._internal is not None:
            await self._internal.shutdown()


def serve(app: ASGIApp, settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are completed first."""
    configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
    check_ports_or_exit(settings.host, settings.port, *([settings.metrics_port] if settings.metrics_port else []))
    prepare_to_serve()
    GatewayServer(server_config(app, settings), settings).run()
