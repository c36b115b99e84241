"""Serves an app over HTTP in a process of its own."""

from typing import Any

import uvicorn

from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.runtime.shutdown import DrainingServer


def serve(app: Any, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT; in-flight requests are completed first."""
    configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # RequestContextMiddleware alone determines the client's address
        timeout_keep_alive=75,  # longer than the gateway keeps an idle connection, so that the gateway closes first
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    prepare_to_serve()
    DrainingServer(config).run()
