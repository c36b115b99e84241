"""A deployment of one process per service for fault injection, with RabbitMQ behind a proxy for each program."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import aiohttp

from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.clients import PASSWORD
from stockbuddy.chassis.testing.pgbouncer import PooledPostgres, as_role
from stockbuddy.chassis.testing.proxy import Proxy
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.embedded.api_client import ApiClient
from stockbuddy.embedded.processes import Program, programs
from stockbuddy.embedded.service_registry import SERVICES, migrate_all
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.load import Load
from tests.faults.machine_clock import MachineClock
from tests.faults.release import Release
from tests.faults.supervisor import SupervisedProgram
from tests.faults.verification import Verifier

START_TIMEOUT_SECONDS = 600
LOG_LEVEL = "info"


@dataclass
class Deployment:
    """`programs` by name (`stock`, `stock-2`, `gateway`); `proxies`: to the broker, by the program's name."""

    postgres: LocalPostgres
    rabbitmq: PrivateRabbitMQ
    url: str
    client: ApiClient
    verifier: Verifier
    programs: dict[str, SupervisedProgram] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def load(self, name: str) -> AsyncIterator[Load]:
        """A load that runs during the block; every request has its response when the block ends."""
        load = Load(self.client, name)
        await load.create_products()
        async with load.running():
            await load.wait_until_acknowledged(10)
            yield load

    async def wait_until_ready(self, name: str = "gateway") -> None:
        """Wait until a program is ready; the gateway is ready once every service is."""
        url = f"http://127.0.0.1:{self.programs[name].environment['PORT']}/health/ready"
        async with asyncio.timeout(START_TIMEOUT_SECONDS), aiohttp.ClientSession() as http:
            while not await _is_ready(http, url):
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def start_deployment(
    postgres: LocalPostgres,
    rabbitmq: PrivateRabbitMQ,
    directory: Path,
    *,
    replicas: int = 1,
    has_admin: bool = False,
    release: Release | None = None,
    clocks: Mapping[str, MachineClock] = MappingProxyType({}),
    environment: Mapping[str, str] = MappingProxyType({}),
    bus_url: str | None = None,
    pooled: PooledPostgres | None = None,
) -> AsyncIterator[Deployment]:
    """`has_admin`: the database is restored. `release`: what is installed at first, if not the release under test.
    `clocks`: of the machines of some programs, by the program's name. `environment`: settings of all programs.
    `bus_url`: of a cluster, to which there are no proxies. `pooled`: each service has its role, and goes through
    PgBouncer."""
    if pooled is not None:
        await migrate_as_owners(postgres.url)
    else:
        await (release.migrate(postgres.url) if release else migrate_all(postgres.url))
    port = first_of_free_ports(5)
    url = f"http://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(base_url=url))
        client = ApiClient(http, "ada", PASSWORD)
        deployment = Deployment(postgres, rabbitmq, url, client, Verifier(postgres.url, client))
        settings = EmbeddedSettings(env="development", port=port, bus_url=rabbitmq.url)
        code = release.environment if release else {}
        for name, program in _replicate(programs(settings, postgres.url), replicas).items():
            if bus_url is None:
                deployment.proxies[name] = await stack.enter_async_context(Proxy.to(rabbitmq.url).running())
                address = deployment.proxies[name].through(rabbitmq.url)
            else:
                address = bus_url
            machine = clocks[name].environment if name in clocks else {}
            database = {} if pooled is None else _through_pgbouncer(pooled, name.partition("-")[0])
            own = {**environment, **code, **machine, **database}
            running = replace(
                program, environment={**program.environment, "BUS_URL": address, "LOG_LEVEL": LOG_LEVEL, **own}
            )
            supervised = SupervisedProgram(name, running, directory / f"{name}.log")
            deployment.programs[name] = await stack.enter_async_context(supervised.running())
        await deployment.wait_until_ready()
        if not has_admin:
            account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
            async with http.post("/api/v1/auth/admin/register", json=account) as response:
                assert response.status == 201, await response.text()
        await client.log_in()
        yield deployment


async def migrate_as_owners(url: str) -> None:
    """Create the tables of all services as their owner roles."""
    for embedded in SERVICES:
        owner = as_role(url, f"{embedded.name}_owner")
        await migrate(owner, embedded.name, embedded.migrations, serving_role=embedded.name)


def _through_pgbouncer(pooled: PooledPostgres, service: str) -> dict[str, str]:
    return {"DATABASE_URL": as_role(pooled.server.url, service), "DATABASE_POOLER": pooled.pgbouncer.address}


def _replicate(plain: list[Program], replicas: int) -> dict[str, Program]:
    """The programs by name, with `replicas` of each service, whose addresses the gateway has."""
    *services, gateway = plain
    named: dict[str, Program] = {}
    environment = dict(gateway.environment)
    for service in services:
        name = service.module.rpartition(".")[2]
        named[name] = service
        for number in range(2, replicas + 1):
            port = str(free_port())
            named[f"{name}-{number}"] = replace(service, environment={**service.environment, "PORT": port})
            environment[f"{name.upper()}_URL"] += f",http://127.0.0.1:{port}"
    return {**named, "gateway": replace(gateway, environment=environment)}


def first_of_free_ports(count: int) -> int:
    """The first of `count` consecutive free ports."""
    while True:
        first = free_port()
        if all(_is_free(first + offset) for offset in range(1, count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
