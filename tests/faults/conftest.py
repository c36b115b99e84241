"""The system as processes: PostgreSQL, RabbitMQ behind a proxy for each service, the services, the gateway; and a till
that may call. The quick faults share one; each slow one has its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.chassis.testing.postgres import private_postgres_server
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ, private_rabbitmq_server
from tests.faults.shop import Shop, open_shop


@pytest.fixture(scope="session")
async def shared_shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    with private_postgres_server() as postgres, private_rabbitmq_server() as rabbitmq:
        async with open_shop(postgres, rabbitmq, tmp_path_factory.mktemp("shop")) as shop:
            yield shop


@pytest.fixture
async def shop(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> AsyncIterator[Shop]:
    async with open_shop(private_postgres, private_rabbitmq, tmp_path) as shop:
        yield shop


@pytest.fixture
async def replicated_shop(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> AsyncIterator[Shop]:
    """Two of each service behind the gateway."""
    async with open_shop(private_postgres, private_rabbitmq, tmp_path, replicas=2) as shop:
        yield shop
