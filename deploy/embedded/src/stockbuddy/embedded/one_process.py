"""Serves the whole system from one process until SIGINT or SIGTERM."""

import asyncio

from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.embedded.database import database
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.system import System
from stockbuddy.embedded.welcome import welcome
from stockbuddy.gateway.server import server_config
from stockbuddy.gateway.settings import GatewaySettings

GRACE_SECONDS = 10


async def run(settings: EmbeddedSettings) -> int:
    with database(settings) as url:
        system = System(url, env=settings.env)
        async with system.running():
            door = GatewaySettings(
                env=settings.env, host=settings.host, port=settings.port, shutdown_seconds=GRACE_SECONDS
            )
            server = DrainingServer(server_config(system.gateway, door))
            prepare_to_serve()
            greeting = asyncio.create_task(welcome(settings, server))
            await server.serve()
            greeting.cancel()
    return 0 if server.started else 1
