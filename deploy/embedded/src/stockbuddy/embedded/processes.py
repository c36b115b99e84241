"""Runs a process per service and one for the gateway, on RabbitMQ: what a small server needs, without containers.

Each keeps to its own port on the loopback address; one that ends by itself is started again.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import structlog

from stockbuddy.embedded.database import database
from stockbuddy.embedded.deployables import SERVICES, migrate_all
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.welcome import text

log = structlog.get_logger(__name__)

RESTART_SECONDS = 1.0
STOP_SECONDS = 30
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    module: str
    environment: Mapping[str, str]


async def run(settings: EmbeddedSettings) -> int:
    if settings.bus_url is None:
        print("A process per service needs RabbitMQ: set BUS_URL=amqp://…", file=sys.stderr)
        return 2
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with database(settings) as url:
        await migrate_all(url)
        async with asyncio.TaskGroup() as group:
            for program in programs(settings, url):
                group.create_task(_keep_running(program, stopping))
            group.create_task(_welcome(settings, stopping))
    return 0


def programs(settings: EmbeddedSettings, database_url: str) -> list[Program]:
    """The services on the ports after the gateway's."""
    ports = {d.service.name: settings.port + place for place, d in enumerate(SERVICES, start=1)}
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
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", program.module, env={**os.environ, **program.environment}, start_new_session=True
        )
        ended = asyncio.create_task(process.wait())
        asked = asyncio.create_task(stopping.wait())
        await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if stopping.is_set():
            await _stop(process, ended)
            return
        log.error("process.ended", module=program.module, code=process.returncode)
        await asyncio.sleep(RESTART_SECONDS)


async def _stop(process: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    """SIGTERM, and after STOP_SECONDS SIGKILL."""
    if process.returncode is None:
        process.terminate()
    _, unfinished = await asyncio.wait([ended], timeout=STOP_SECONDS)
    if unfinished:
        process.kill()
        await ended


async def _welcome(settings: EmbeddedSettings, stopping: asyncio.Event) -> None:
    url = f"http://127.0.0.1:{settings.port}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        while not stopping.is_set():
            try:
                async with http.get(f"{url}/health/ready") as response:
                    if response.status == 200:
                        print(text(url), file=sys.stderr, flush=True)
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(POLL_SECONDS)
