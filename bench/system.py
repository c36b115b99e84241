"""The system under test: PostgreSQL, services and the gateway, one process each, on the loopback address."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.postgres import LocalPostgres

START_TIMEOUT_SECONDS = 60
ACCOUNT = {"username": "bench", "email": "bench@example.com", "password": "violet-Harbour-71"}


@dataclass(frozen=True)
class Process:
    """A process that listens on `port`."""

    port: int
    process_id: int

    def cpu_seconds(self) -> float:
        """CPU time used since the start; NaN without /proc."""
        try:
            fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        """NaN without /proc."""
        try:
            status = Path(f"/proc/{self.process_id}/status").read_text()
        except OSError:
            return float("nan")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@dataclass(frozen=True)
class System:
    """The processes by name, including `gateway`, and an access token of the first admin."""

    database_url: str
    processes: Mapping[str, Process]
    token: str

    @property
    def gateway(self) -> Process:
        return self.processes["gateway"]

    def get(self, path: str) -> Any:
        return json.loads(call(self.gateway.port, path, token=self.token))


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a private server with the durability settings of embedded runs."""
    with (
        tempfile.TemporaryDirectory(prefix="stockbuddy-bench-") as directory,
        LocalPostgres.start(Path(directory)) as server,
    ):
        yield server.url


def new_database(server_url: str, name: str) -> str:
    async def create() -> None:
        connection = await asyncpg.connect(server_url)
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()

    asyncio.run(create())
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


def migrate(services: tuple[str, ...], database_url: str) -> None:
    environment = {**os.environ, "ENV": "development", "DATABASE_URL": database_url}
    for service in services:
        subprocess.run([sys.executable, "-m", f"stockbuddy.{service}", "migrate"], env=environment, check=True)


LISTS = {"catalog": "products", "stock": "warehouses", "notifications": "events"}
"""A list of each service, to check that the gateway reaches it."""


@contextmanager
def running(*services: str, database_url: str, bus_url: str | None = None) -> Iterator[System]:
    """Auth, these services and the gateway, with a migrated database; rate limits are counted, but not reached."""
    environment = {"ENV": "development", "DATABASE_URL": database_url, "LOG_LEVEL": "error"}
    if bus_url is not None:
        environment["BUS_URL"] = bus_url
    with ExitStack() as stack:
        processes = {"auth": stack.enter_context(process("-m", "stockbuddy.auth", environment=environment))}
        environment["JWKS_URL"] = f"http://127.0.0.1:{processes['auth'].port}/.well-known/jwks.json"
        environment["IMAGE_STORE"] = stack.enter_context(tempfile.TemporaryDirectory())
        for service in services:
            processes[service] = stack.enter_context(process("-m", f"stockbuddy.{service}", environment=environment))
        addresses = {f"{name.upper()}_URL": f"http://127.0.0.1:{started.port}" for name, started in processes.items()}
        environment |= addresses | {"RATE_LIMIT_CALLER": "1000000/second"}
        processes["gateway"] = stack.enter_context(process("-m", "stockbuddy.gateway", environment=environment))
        for name in ("auth", *services):
            wait_until_ready(processes[name].port)
        system = System(database_url, processes, register_admin(processes["auth"]))
        for path in ("auth/profile", *(LISTS[service] for service in services)):
            wait_until_ready(system.gateway.port, f"/api/v1/{path}", token=system.token)
        yield system


def register_admin(auth: Process) -> str:
    """Register the first admin at auth or at a gateway. Returns an access token."""
    call(auth.port, "/api/v1/auth/admin/register", body=ACCOUNT)
    credentials = {name: ACCOUNT[name] for name in ("username", "password")}
    token: str = json.loads(call(auth.port, "/api/v1/auth/login", body=credentials))["access_token"]
    return token


@contextmanager
def process(*arguments: str, environment: Mapping[str, str]) -> Iterator[Process]:
    """A running `python …` that listens on a free port."""
    port = free_port()
    full_environment = {**os.environ, **environment, "HOST": "127.0.0.1", "PORT": str(port)}
    with subprocess.Popen([sys.executable, *arguments], env=full_environment) as started:
        try:
            yield Process(port, started.pid)
        finally:
            started.terminate()


def call(port: int, path: str, *, body: Any = None, token: str | None = None, method: str | None = None) -> bytes:
    """The body of a successful response. Raises urllib.error.HTTPError, or OSError if the connection is refused."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, headers, method=method)
    with urllib.request.urlopen(request) as response:  # noqa: S310 - the loopback address
        response_body: bytes = response.read()
    return response_body


def wait_until_ready(port: int, path: str = "/health/ready", token: str | None = None) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            call(port, path, token=token)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
