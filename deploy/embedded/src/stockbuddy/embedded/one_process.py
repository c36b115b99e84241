"""Serves the whole system from one process until SIGINT or SIGTERM."""

import asyncio

import uvicorn

from stockbuddy.chassis.stopping import PoliteServer
from stockbuddy.embedded.database import database
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.system import System
from stockbuddy.embedded.welcome import welcome

GRACE_SECONDS = 10


async def run(settings: EmbeddedSettings) -> int:
    with database(settings) as url:
        system = System(url, env=settings.env)
        async with system.running():
            server = PoliteServer(
                uvicorn.Config(
                    system.gateway,
                    host=settings.host,
                    port=settings.port,
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    timeout_graceful_shutdown=GRACE_SECONDS,
                )
            )
            greeting = asyncio.create_task(welcome(settings, server))
            await server.serve()
            greeting.cancel()
    return 0 if server.started else 1
