"""Runs one process per service and one for the gateway, with RabbitMQ: for a small server without containers.

The services listen on the loopback address. A process that exits is restarted.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import structlog

from stockbuddy.embedded.banner import print_banner
from stockbuddy.embedded.database import open_database
from stockbuddy.embedded.services import SERVICES, migrate_all
from stockbuddy.embedded.settings import EmbeddedSettings

log = structlog.get_logger(__name__)

RESTART_DELAY_SECONDS = 1.0
STOP_TIMEOUT_SECONDS = 30
POLL_INTERVAL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A module to run with `python -m` and its environment."""

    module: str
    environment: Mapping[str, str]


async def run(settings: EmbeddedSettings) -> int:
    """Returns the exit code: 2 if a setting is missing."""
    if settings.bus_url is None:
        print("One process per service requires RabbitMQ: set BUS_URL=amqp://…", file=sys.stderr)
        return 2
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with open_database(settings) as url:
        await migrate_all(url)
        async with asyncio.TaskGroup() as group:
            for program in programs(settings, url):
                group.create_task(_keep_running(program, stopping))
            group.create_task(_print_banner_when_ready(settings, stopping))
    return 0


def programs(settings: EmbeddedSettings, database_url: str) -> list[Program]:
    """The services listen on the ports after the gateway's."""
    ports = {embedded.name: settings.port + place for place, embedded in enumerate(SERVICES, start=1)}
    urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    shared = {
        "ENV": settings.env,
        "DATABASE_URL": database_url,
        "BUS_URL": settings.bus_url or "",
        "JWKS_URL": f"http://127.0.0.1:{ports['auth']}/.well-known/jwks.json",
    }
    services = [
        Program(f"stockbuddy.{name}", {**shared, "HOST": "127.0.0.1", "PORT": str(port)})
        for name, port in ports.items()
    ]
    gateway = {**shared, **urls, "HOST": settings.host, "PORT": str(settings.port)}
    return [*services, Program("stockbuddy.gateway", gateway)]


async def _keep_running(program: Program, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        # A session of its own: Ctrl-C reaches this process only, which then stops the others.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", program.module, env={**os.environ, **program.environment}, start_new_session=True
        )
        exited = asyncio.create_task(process.wait())
        stop_requested = asyncio.create_task(stopping.wait())
        await asyncio.wait([exited, stop_requested], return_when=asyncio.FIRST_COMPLETED)
        stop_requested.cancel()
        if stopping.is_set():
            await _stop(process, exited)
            return
        log.error("process.exited", module=program.module, code=process.returncode)
        await asyncio.sleep(RESTART_DELAY_SECONDS)


async def _stop(process: asyncio.subprocess.Process, exited: "asyncio.Task[int]") -> None:
    """Send SIGTERM, and SIGKILL after STOP_TIMEOUT_SECONDS."""
    if process.returncode is None:
        process.terminate()
    _, unfinished = await asyncio.wait([exited], timeout=STOP_TIMEOUT_SECONDS)
    if unfinished:
        process.kill()
        await exited


async def _print_banner_when_ready(settings: EmbeddedSettings, stopping: asyncio.Event) -> None:
    url = f"http://127.0.0.1:{settings.port}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        while not stopping.is_set():
            try:
                async with http.get(f"{url}/health/ready") as response:
                    if response.status == 200:
                        print_banner(url)
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
