"""The classification of failures: the environment's fault or the item's own."""

import errno
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from stockbuddy.chassis.messaging.bus import BusUnavailable
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import DependencyUnavailable, Failure, classify, is_environment_fault


@pytest.mark.parametrize(
    ("sqlstate", "reason"),
    [
        ("08006", "unavailable"),
        ("25006", "read_only"),
        ("28000", "credentials_refused"),
        ("28P01", "credentials_refused"),
        ("3D000", "database_missing"),
        ("42P01", "schema_missing"),
        ("42501", "privileges_missing"),
        ("53000", "resources_exhausted"),
        ("53100", "disk_full"),
        ("53200", "resources_exhausted"),
        ("53300", "too_many_connections"),
        ("55P03", "lock_timeout"),
        ("57014", "timed_out"),
        ("57P01", "shutting_down"),
        ("57P02", "shutting_down"),
        ("57P03", "starting"),
        ("58030", "storage_failed"),
    ],
)
def test_condition_of_the_server_is_the_environments_fault(sqlstate: str, reason: str) -> None:
    failure = classify(asyncpg.PostgresError.new({"C": sqlstate, "M": "from the server"}))
    assert (failure.is_environment, failure.dependency, failure.reason) == (True, "database", reason)


@pytest.mark.parametrize("sqlstate", ["22003", "22021", "23505", "23503", "23514", "40001", "40P01", "42601", "P0001"])
def test_condition_of_the_data_is_the_items_own_fault(sqlstate: str) -> None:
    assert classify(asyncpg.PostgresError.new({"C": sqlstate, "M": "from the server"})) is Failure.OWN


@pytest.mark.parametrize(
    ("error", "readable"),
    [
        (ConnectionRefusedError(), "database: unavailable"),
        (FileNotFoundError(2, "no such socket"), "database: unavailable"),
        (OSError(errno.ENOSPC, "no space left"), "storage: disk full"),
        (OSError(errno.EROFS, "read-only file system"), "storage: read only"),
        (TimeoutError(), "database: timed out"),
        (BusUnavailable("not confirmed"), "broker: unavailable"),
        (DependencyUnavailable("421", dependency="SMTP server", reason="refusing"), "SMTP server: refusing"),
    ],
)
def test_failure_reads_as_dependency_and_reason(error: Exception, readable: str) -> None:
    assert str(classify(error)) == readable


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RuntimeError("x"), asyncpg.DataError("x")])
def test_unknown_error_is_the_items_own_fault(error: Exception) -> None:
    assert not is_environment_fault(error)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SELECT CAST(:value AS bigint)", 2**70),
        ("SELECT CAST(:value AS text)", "NUL \0"),
        ("SELECT CAST(:value AS text)", "surrogate \ud800"),
        ("SELECT 1 / CAST(:value AS integer)", 0),
    ],
)
async def test_value_that_postgresql_cannot_store_is_the_items_own_fault(
    database: Database, statement: str, value: Any
) -> None:
    with pytest.raises((DBAPIError, UnicodeError)) as raised:
        async with database.transaction() as session:
            await session.scalar(text(statement), {"value": value})
    assert not is_environment_fault(raised.value)


async def test_unreachable_database_is_the_environments_fault(tmp_path: Path) -> None:
    database = Database(f"postgresql://postgres@/postgres?host={tmp_path}", "probe")
    with pytest.raises(OSError, match="No such file") as raised:
        await database.ping()
    assert is_environment_fault(raised.value)
    await database.close()


async def test_lock_timeout_of_a_statement_is_the_environments_fault(database: Database) -> None:
    async with database.transaction() as owner, database.transaction() as waiting:
        await owner.execute(text("LOCK TABLE effect"))
        await waiting.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(DBAPIError) as raised:
            await waiting.execute(text("SELECT count(*) FROM effect"))
        failure = classify(raised.value)
        assert (failure.reason, failure.affects_everything) == ("lock_timeout", False)
        await waiting.rollback()
