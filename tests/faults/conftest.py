"""Deployments for fault injection. Quick tests share one; each slow test has its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockbuddy.chassis.testing.mailbox import Mailbox
from stockbuddy.chassis.testing.postgres import private_postgres_server
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ, private_rabbitmq_server
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.deployment import Deployment, start_deployment

PUBLIC_URL = "https://shop.example.com"
JOB_SETTINGS = {"JOB_LEASE_SECONDS": "10", "IMPORT_LEASE_SECONDS": "10", "PUBLIC_URL": PUBLIC_URL}


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


@pytest.fixture(scope="session")
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox().running() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
async def mailing_deployment(mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Sends its e-mails to the mailbox. Another worker may repeat a job after 10 s."""
    environment = {**JOB_SETTINGS, "SMTP_URL": mailbox.url}
    directory = tmp_path_factory.mktemp("mailing")
    with private_postgres_server() as postgres, private_rabbitmq_server() as rabbitmq:
        async with start_deployment(postgres, rabbitmq, directory, environment=environment) as deployment:
            yield deployment
