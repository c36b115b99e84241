"""The pytest fixtures of the whole workspace; the root's conftest.py loads it.

A service's conftest.py overrides `migrations`:

    @pytest.fixture(scope="session")
    def migrations() -> list[Migrate]:
        return [ServiceMigrations("stock", Path(__file__).parents[1] / "migrations")]
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.testing import postgres as postgres_servers
from stockbuddy.chassis.testing import rabbitmq as rabbitmq_servers
from stockbuddy.chassis.testing.postgres import PostgresServer, ReplicatedPostgres
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.chassis.testing.templates import Migrate, TemplateDatabases
from stockbuddy.chassis.testing.valkey import PrivateValkey, private_valkey_server
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.local_servers.virtual_hosts import VirtualHosts

NewDatabase = Callable[..., Awaitable[str]]


def pytest_configure() -> None:
    configure_logging(level="warning", output="console")


def pytest_collection_finish() -> None:
    """Apply the limits and GC settings of a serving process to the test process."""
    prepare_to_serve()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """One event loop for all async tests and fixtures."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with postgres_servers.postgres_server() as server:
        yield server


@pytest.fixture
def private_postgres() -> Iterator[LocalPostgres]:
    """A server that the test may stop, kill and restart."""
    with postgres_servers.private_postgres_server() as server:
        yield server


@pytest.fixture
def replicated_postgres() -> Iterator[ReplicatedPostgres]:
    """A primary with a hot standby."""
    with postgres_servers.replicated_postgres_server() as servers:
        yield servers


@pytest.fixture(scope="session")
async def databases(postgres_server: PostgresServer) -> AsyncIterator[TemplateDatabases]:
    databases = TemplateDatabases(postgres_server.url)
    await databases.drop_stale()
    yield databases
    await databases.drop_templates()


@pytest.fixture(scope="session")
def migrations() -> Sequence[Migrate]:
    """The migrations of `database_url`; overridden in the conftest.py of a service."""
    return []


@pytest.fixture
async def database_url(databases: TemplateDatabases, migrations: Sequence[Migrate]) -> AsyncIterator[str]:
    """A fresh database, migrated, as its superuser sees it."""
    async with databases.clone(migrations) as url:
        yield url


@pytest.fixture
async def new_database(databases: TemplateDatabases) -> AsyncIterator[NewDatabase]:
    """For tests of several services: `await new_database(stock_migrations, catalog_migrations)`, as often as needed."""
    async with AsyncExitStack() as stack:

        async def clone(*migrations: Migrate) -> str:
            return await stack.enter_async_context(databases.clone(migrations))

        yield clone


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[VirtualHosts]:
    """The shared broker; it starts when the first test asks for it."""
    with rabbitmq_servers.rabbitmq_server() as virtual_hosts:
        virtual_hosts.delete_stale()
        yield virtual_hosts


@pytest.fixture
def bus_url(rabbitmq: VirtualHosts) -> Iterator[str]:
    """The address of a virtual host of this test's own."""
    url = rabbitmq.create()
    yield url
    rabbitmq.delete(url)


@pytest.fixture
def private_rabbitmq() -> Iterator[PrivateRabbitMQ]:
    """A broker for one test, which may stop, kill and start it."""
    with rabbitmq_servers.private_rabbitmq_server() as broker:
        yield broker


@pytest.fixture
def private_valkey() -> Iterator[PrivateValkey]:
    """A Valkey or Redis for one test, which may stop, freeze and start it."""
    with private_valkey_server() as server:
        yield server
