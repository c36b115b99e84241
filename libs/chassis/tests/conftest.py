"""A database with the tables of the probe service."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations


@pytest.fixture(scope="session")
def migrations() -> Sequence[Migrate]:
    return [ServiceMigrations("probe", Path(__file__).parent / "probe" / "migrations")]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = outbox.open_database(database_url, "probe", pool_size=5)
    yield database
    await database.close()
