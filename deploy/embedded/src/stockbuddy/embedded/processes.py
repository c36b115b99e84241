"""Runs one process per service and one for the gateway, with RabbitMQ: for a small server without containers.

The services listen on the loopback address. A process that exits is restarted; all end with this process.
"""

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import structlog

from stockbuddy.chassis.runtime import common_names
from stockbuddy.chassis.runtime.companies import for_company
from stockbuddy.embedded.backup.schedule import backups_of_companies
from stockbuddy.embedded.banner import print_banners
from stockbuddy.embedded.console_build import CONSOLE_DIRECTORY
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.embedded.leftovers import ProcessList
from stockbuddy.embedded.ports import listens, url_of
from stockbuddy.embedded.service_registry import SERVICES, migrate_all
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.signals import cancel_on_stop_signal, on_stop_signal
from stockbuddy.local_servers.process_reaper import ProcessReaper

log = structlog.get_logger(__name__)

SERVICE_HOST = "127.0.0.1"
RESTART_DELAY_SECONDS = 1.0
FAILED_START_SECONDS = 10.0
MAX_FAILED_STARTS = 3
STOP_TIMEOUT_SECONDS = 30
POLL_INTERVAL_SECONDS = 0.1
READINESS_INTERVAL_SECONDS = 1.0
WITHOUT_BROKER = "No connection to RabbitMQ yet: see `bus.unavailable` above. Sales continue, and events wait for it."


@dataclass(frozen=True, slots=True)
class Program:
    """A module to run with `python -m` and its environment."""

    module: str
    environment: Mapping[str, str]


async def run(settings: EmbeddedSettings, database_url: str, started: ProcessList) -> int:
    """Returns the exit code: 1 if a program does not start."""
    cancel_on_stop_signal()
    print("Creating or upgrading the tables …", file=sys.stderr, flush=True)
    for company in settings.selected:
        await migrate_all(for_company(database_url, company))
    print("Starting a process for each service …", file=sys.stderr, flush=True)
    supervisor = Supervisor(started)
    on_stop_signal(supervisor.stopping.set)
    async with backups_of_companies(database_url), asyncio.TaskGroup() as group:
        for program in programs(settings, database_url):
            group.create_task(supervisor.keep_running(program))
        group.create_task(_print_banner_when_ready(settings, database_url, supervisor.stopping))
    if supervisor.failure is not None:
        raise StartFailed(supervisor.failure)
    return 0


def service_ports(settings: EmbeddedSettings) -> dict[str, int]:
    """The ports after the gateway's."""
    return {embedded.name: settings.port + place for place, embedded in enumerate(SERVICES, start=1)}


def programs(settings: EmbeddedSettings, database_url: str) -> list[Program]:
    ports = service_ports(settings)
    urls = {f"{name.upper()}_URL": f"http://{SERVICE_HOST}:{port}" for name, port in ports.items()}
    shared = {
        **dict.fromkeys(common_names.NAMES, ""),  # interpreted here, once for all processes
        "ENV": settings.env,
        "LOG_LEVEL": settings.log_level,
        "DATABASE_URL": database_url,
        "BUS_URL": settings.bus_url or "",
        "JWKS_URL": f"http://{SERVICE_HOST}:{ports['auth']}/.well-known/jwks.json",
        "PUBLIC_URL": settings.console_url or "",
        "GATEWAY_SECRET": os.environ.get("GATEWAY_SECRET") or secrets.token_urlsafe(32),
    }
    services = [
        Program(f"stockbuddy.{name}", {**shared, "HOST": SERVICE_HOST, "PORT": str(port)})
        for name, port in ports.items()
    ]
    console = {"CONSOLE_DIRECTORY": str(CONSOLE_DIRECTORY)}
    gateway = {**shared, **urls, **console, "HOST": settings.host, "PORT": str(settings.port)}
    return [*services, Program("stockbuddy.gateway", gateway)]


class Supervisor:
    """Keeps programs running until `stopping` is set. `failure`: why it stopped by itself."""

    def __init__(self, started: ProcessList) -> None:
        self.stopping = asyncio.Event()
        self.failure: str | None = None
        self._started = started

    async def keep_running(self, program: Program) -> None:
        failed_starts = 0
        while not self.stopping.is_set():
            began_at = time.monotonic()
            code = await self._run_once(program)
            if self.stopping.is_set():
                return
            log.error("process.exited", module=program.module, code=code)
            failed_starts = failed_starts + 1 if time.monotonic() - began_at < FAILED_START_SECONDS else 0
            if failed_starts == MAX_FAILED_STARTS:
                self.failure = f"{program.module} exited {failed_starts} times at its start: its output is above."
                self.stopping.set()
            await asyncio.sleep(RESTART_DELAY_SECONDS)

    async def _run_once(self, program: Program) -> int | None:
        # A session of its own: Ctrl-C reaches this process only, which then stops the others.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", program.module, env={**os.environ, **program.environment}, start_new_session=True
        )
        reaper = ProcessReaper([process.pid], signal.SIGKILL)
        self._started.add(process.pid, program.module)
        exited = asyncio.create_task(process.wait())
        stop_requested = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([exited, stop_requested], return_when=asyncio.FIRST_COMPLETED)
            stop_requested.cancel()
            if not exited.done():
                await _stop(process, exited)
        finally:
            reaper.dismiss()
        return process.returncode


async def _stop(process: asyncio.subprocess.Process, exited: "asyncio.Task[int]") -> None:
    """Send SIGTERM, and SIGKILL after STOP_TIMEOUT_SECONDS."""
    if process.returncode is None:
        process.terminate()
    _, unfinished = await asyncio.wait([exited], timeout=STOP_TIMEOUT_SECONDS)
    if unfinished:
        process.kill()
        await exited


async def _print_banner_when_ready(settings: EmbeddedSettings, database_url: str, stopping: asyncio.Event) -> None:
    """Waits for the ports first, since each failed request would be a line in the log."""
    for host, port in [
        *((SERVICE_HOST, port) for port in service_ports(settings).values()),
        (settings.host, settings.port),
    ]:
        while not stopping.is_set() and not await listens(host, port):
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
    url = url_of(settings.host, settings.port)
    company = settings.selected[0]
    headers = {"Host": urlsplit(settings.company_url(company, settings.port)).netloc} if company else {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        while not stopping.is_set():
            try:
                async with http.get(f"{url}/health/ready", headers=headers) as response:
                    if response.status == 200:
                        await print_banners(settings, settings.port, database_url)
                        if (await response.json())["status"] == "degraded":
                            print(WITHOUT_BROKER, file=sys.stderr, flush=True)
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(READINESS_INTERVAL_SECONDS)
