"""Idempotency keys across the tables of their periods: no table boundary makes a request take effect twice."""

import asyncio
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import APIRouter
from sqlalchemy import text

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.idempotency import IdempotentRoute
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.messaging.erasure import erase_from_messaging
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.maintenance import maintain
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.probe import effects
from stockbuddy.chassis.testing.tokens import TestIssuer

ROUNDS = 20

router = APIRouter(prefix="/api/v1/effects", route_class=IdempotentRoute)


@router.post("", status_code=201)
async def add_effect(caller: Caller, session: Session) -> int:
    added = await session.scalar(text("INSERT INTO effect (subject, number) VALUES ('a', 1) RETURNING id"))
    return int(added or 0)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    issuer = TestIssuer()
    settings = ServiceSettings(env="development", database_url=database_url)
    app = create_app(Service("probe", "Probe", [router]), settings, fetch_jwks=issuer.fetch_jwks)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://probe", headers=issuer.headers()
        ) as client,
    ):
        yield client


async def post(client: httpx.AsyncClient, key: str) -> httpx.Response:
    response = await client.post("/api/v1/effects", headers={"Idempotency-Key": key})
    assert response.status_code == 201, response.text
    return response


async def pass_days(database: Database, days: int) -> None:
    """Let all keys be older by `days`, and do the maintenance that is due then."""
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE idempotency_key SET created_at = created_at - make_interval(days => :days)"), {"days": days}
        )
        # Tables and their indexes are named by the day on which the period ended.
        named = text("SELECT relname, relkind FROM pg_class WHERE relname ~ '^idempotency_key_until_[0-9_]+$'")
        for name, kind in (await session.execute(named)).all():
            target = "INDEX" if kind == b"i" else "TABLE"
            await session.execute(text(f"ALTER {target} {name} RENAME TO {name}_days{days}"))
    await maintain(database)


async def periods(database: Database) -> int:
    """Number of tables with keys of earlier periods."""
    async with database.reading() as session:
        return (
            await session.scalar(
                text("SELECT count(*) FROM pg_inherits WHERE inhparent = CAST('idempotency_key' AS regclass)")
            )
            or 0
        )


async def test_key_of_an_earlier_period_gets_its_stored_response(client: httpx.AsyncClient, database: Database) -> None:
    first = await post(client, "k-1")
    await pass_days(database, 3)
    second = await post(client, "k-2")
    assert await periods(database) == 0
    await pass_days(database, 2)
    assert await periods(database) == 1
    third = await post(client, "k-3")
    await pass_days(database, 2)  # the first key is 7 days old
    for key, response in (("k-1", first), ("k-2", second), ("k-3", third)):
        again = await post(client, key)
        assert (again.text, again.headers["Idempotent-Replayed"]) == (response.text, "true")
    assert len(await effects(database)) == 3


async def test_keys_are_dropped_with_the_newest_of_their_period(client: httpx.AsyncClient, database: Database) -> None:
    await post(client, "k-1")
    await pass_days(database, 3)
    await post(client, "k-2")
    await pass_days(database, 6)
    assert await periods(database) == 1
    assert (await post(client, "k-1")).headers["Idempotent-Replayed"] == "true"
    await pass_days(database, 3)  # the second key is 9 days old
    assert await periods(database) == 0
    assert "Idempotent-Replayed" not in (await post(client, "k-1")).headers
    assert len(await effects(database)) == 3


async def test_requests_while_a_period_ends_take_effect_once(client: httpx.AsyncClient, database: Database) -> None:
    await post(client, "old")
    async with asyncio.TaskGroup() as group:
        posts = [group.create_task(post(client, f"k-{number % ROUNDS}")) for number in range(ROUNDS * 5)]
        group.create_task(pass_days(database, 5))
        posts += [group.create_task(post(client, f"k-{number % ROUNDS}")) for number in range(ROUNDS * 5)]
    assert await periods(database) == 1
    assert len({task.result().text for task in posts}) == ROUNDS
    assert len(await effects(database)) == ROUNDS + 1


async def test_statements_find_keys_by_index_after_a_period_ends(database: Database) -> None:
    """They are planned for what the new table contains then."""
    async with database.transaction() as session:
        await session.execute(
            text("""
                INSERT INTO idempotency_key (caller, key, fingerprint, body, created_at)
                SELECT '1', CAST(number AS text), '', repeat('b', 500), now() - make_interval(mins => 6 * (number - 1))
                FROM generate_series(1, 2000) number""")
        )
        await session.execute(
            text("""
                INSERT INTO idempotency_key (caller, key, fingerprint, body)
                SELECT '2', CAST(number AS text), '', repeat('b', 500) FROM generate_series(1, 2000) number""")
        )
    await maintain(database)
    assert await periods(database) == 1
    async with database.reading() as session:
        plan = "\n".join(
            await session.scalars(text("EXPLAIN SELECT FROM idempotency_key WHERE caller = '2' AND key = '7'"))
        )
        assert await session.scalar(text("SELECT count(*) FROM idempotency_key")) == 4000
    assert "idempotency_key_pkey" in plan
    assert "Seq Scan" not in plan


async def test_responses_of_earlier_periods_are_erased(client: httpx.AsyncClient, database: Database) -> None:
    await post(client, "k-1")
    await pass_days(database, 5)
    await post(client, "k-2")
    async with database.transaction() as session:
        await erase_from_messaging(session, ["user/1"])
    async with database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM idempotency_key")) == 0
