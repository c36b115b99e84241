"""A whole shop for a fault: its servers, its supervised programs, its tills and its books."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.chassis.testing.clients import PASSWORD
from stockbuddy.local_servers.ports import free_port
from stockbuddy.chassis.testing.proxy import Proxy
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.embedded.client import Client
from stockbuddy.embedded.deployables import migrate_all
from stockbuddy.embedded.processes import Program, programs
from stockbuddy.embedded.settings import EmbeddedSettings
from tests.faults.load import Load
from tests.faults.reckoning import Books
from tests.faults.supervisor import Supervised

READY_SECONDS = 180
LOG_LEVEL = "info"


@dataclass
class Shop:
    """`programs` by name: `stock`, `stock-2`, `gateway`; `proxies` by the name of whose way to the broker they are."""

    postgres: LocalPostgres
    rabbitmq: PrivateRabbitMQ
    url: str
    client: Client
    books: Books
    programs: dict[str, Supervised] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def load(self, name: str) -> AsyncIterator[Load]:
        """Under way when the block begins; answered to the last when it ends."""
        load = Load(self.client, name)
        await load.open()
        async with load.running():
            await load.until_acknowledged(10)
            yield load

    async def until_ready(self, name: str = "gateway") -> None:
        """The gateway is ready when every service is."""
        url = f"http://127.0.0.1:{self.programs[name].environment['PORT']}/health/ready"
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
            while not await _is_ready(http, url):
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def open_shop(
    postgres: LocalPostgres, rabbitmq: PrivateRabbitMQ, directory: Path, *, replicas: int = 1
) -> AsyncIterator[Shop]:
    await migrate_all(postgres.url)
    port = _free_ports(5)
    url = f"http://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(base_url=url))
        client = Client(http, "ada", PASSWORD)
        shop = Shop(postgres, rabbitmq, url, client, Books(postgres.url, client))
        settings = EmbeddedSettings(env="development", port=port, bus_url=rabbitmq.url)
        for name, program in _named(programs(settings, postgres.url), replicas).items():
            shop.proxies[name] = await stack.enter_async_context(Proxy.to(rabbitmq.url).running())
            bus_url = shop.proxies[name].through(rabbitmq.url)
            running = replace(program, environment={**program.environment, "BUS_URL": bus_url, "LOG_LEVEL": LOG_LEVEL})
            supervised = Supervised(name, running, directory / f"{name}.log")
            shop.programs[name] = await stack.enter_async_context(supervised.running())
        await shop.until_ready()
        account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
        async with http.post("/api/v1/auth/admin/register", json=account) as answer:
            assert answer.status == 201, await answer.text()
        await client.log_in()
        yield shop


def _named(plain: list[Program], replicas: int) -> dict[str, Program]:
    """The programs by name, each service as often as asked, and all of them known to the gateway."""
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


def _free_ports(count: int) -> int:
    """The first of some free ports in a row."""
    while True:
        first = free_port()
        if all(_is_free(first + offset) for offset in range(1, count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
