"""Deployments for fault injection. Quick tests share one; each slow test has its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockbuddy.chassis.testing.postgres import private_postgres_server
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ, private_rabbitmq_server
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.deployment import Deployment, start_deployment


@pytest.fixture(scope="session")
async def shared_deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    with private_postgres_server() as postgres, private_rabbitmq_server() as rabbitmq:
        async with start_deployment(postgres, rabbitmq, tmp_path_factory.mktemp("deployment")) as deployment:
            yield deployment


@pytest.fixture
async def deployment(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> AsyncIterator[Deployment]:
    async with start_deployment(private_postgres, private_rabbitmq, tmp_path) as deployment:
        yield deployment


@pytest.fixture
async def replicated_deployment(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """Two replicas of each service."""
    async with start_deployment(private_postgres, private_rabbitmq, tmp_path, replicas=2) as deployment:
        yield deployment
