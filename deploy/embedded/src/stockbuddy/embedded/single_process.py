"""Serves the whole system from one process until SIGINT or SIGTERM."""

import asyncio

from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.embedded.banner import print_banner_when_started
from stockbuddy.embedded.database import open_database
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.system import System
from stockbuddy.gateway.server import server_config
from stockbuddy.gateway.settings import GatewaySettings

SHUTDOWN_GRACE_SECONDS = 10


async def run(settings: EmbeddedSettings) -> int:
    """Returns the exit code: 1 if the server did not start, for example because the port is in use."""
    with open_database(settings) as url:
        system = System(url, env=settings.env)
        async with system.running():
            gateway_settings = GatewaySettings(
                env=settings.env, host=settings.host, port=settings.port, shutdown_seconds=SHUTDOWN_GRACE_SECONDS
            )
            server = DrainingServer(server_config(system.gateway, gateway_settings))
            prepare_to_serve()
            banner = asyncio.create_task(print_banner_when_started(settings, server))
            await server.serve()
            banner.cancel()
    return 0 if server.started else 1
