"""Reads of a service with a read replica: what a GET that fails on the replica gets, and the position of a write."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx2 as httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import APIRouter
from prometheus_client import REGISTRY
from sqlalchemy import text

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.consistency import event_ids_in, format_positions, parse_positions
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.settings import ReadReplicaSettings
from stockbuddy.chassis.testing.postgres import ReplicatedPostgres
from stockbuddy.chassis.testing.probe import ProbeChanged
from stockbuddy.chassis.testing.templates import Migrate

router = APIRouter(prefix="/api/v1", route_class=ConditionalRoute, dependencies=[PUBLIC])
DEADLINE_SECONDS = 60
IS_REPLICA = "SELECT pg_is_in_recovery()"


@router.get("/source")
async def get_source(session: ReadSession) -> bool:
    """Whether a read is served by the replica."""
    return bool(await session.scalar(text(IS_REPLICA)))


@router.get("/writing")
async def write_while_reading(session: ReadSession) -> int:
    await session.execute(text("INSERT INTO effect (subject, number) VALUES ('thing/1', 1)"))
    return int(await session.scalar(text("SELECT count(*) FROM effect")) or 0)


@router.get("/interrupted")
async def read_while_the_replica_stops(session: ReadSession) -> bool:
    await session.execute(text(f"SELECT pg_terminate_backend(pg_backend_pid()) WHERE ({IS_REPLICA})"))
    return bool(await session.scalar(text(IS_REPLICA)))


@router.get("/invalid")
async def read_from_no_table(session: ReadSession) -> None:
    await session.execute(text("SELECT FROM missing_on_both"))


@router.post("/source")
async def get_source_while_writing(session: ReadSession) -> bool:
    return bool(await session.scalar(text(IS_REPLICA)))


@router.post("/events")
async def publish_event(session: Session) -> None:
    outbox.add(session, ProbeChanged(thing=1, number=1))


@pytest.fixture
async def client(
    replicated_postgres: ReplicatedPostgres, migrations: Sequence[Migrate]
) -> AsyncIterator[httpx.AsyncClient]:
    for migrate in migrations:
        await migrate(replicated_postgres.primary.url)
    settings = ReadReplicaSettings(
        env="development",
        database_url=replicated_postgres.primary.url,
        database_read_url=replicated_postgres.standby.url,
    )
    app = create_app(Service("probe", "Probe", [router]), settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(transport=transport, base_url="http://probe/api/v1") as client,
    ):
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not (await client.get("/source")).json():
                pass  # the replica is probed first
        yield client


def served_by_replica() -> float:
    return count("replica")


def count(outcome: str) -> float:
    labels = {"company": "", "service": "probe", "outcome": outcome}
    return REGISTRY.get_sample_value("stockbuddy_read_replica_reads_total", labels) or 0.0


async def test_get_that_fails_on_the_replica_is_repeated_on_the_primary(client: httpx.AsyncClient) -> None:
    writing = await client.get("/writing")
    assert (writing.status_code, writing.json()) == (200, 1)
    before = served_by_replica()
    assert (await client.get("/source")).json() is True, "a rejected statement says nothing about the replica"
    interrupted = await client.get("/interrupted")
    assert (interrupted.status_code, interrupted.json()) == (200, False)
    assert served_by_replica() == before + 2
    assert (await client.get("/source")).json() is False, "not used until it was probed again"


async def test_get_that_fails_on_both_gets_its_error(client: httpx.AsyncClient) -> None:
    assert (await client.get("/invalid")).status_code == 503


async def test_only_gets_read_from_the_replica(client: httpx.AsyncClient) -> None:
    assert (await client.get("/source")).json() is True
    assert (await client.post("/source")).json() is False


async def test_position_that_the_replica_never_reaches_is_served_by_the_primary(client: httpx.AsyncClient) -> None:
    ahead = {"X-Consistency": format_positions({"probe": 2**63, "other": 1})}
    assert (await client.get("/source", headers=ahead)).json() is False
    of_others = {"X-Consistency": "other@FFFFFFFFFFFFFFFF,not a position"}
    assert (await client.get("/source", headers=of_others)).json() is True


async def test_positions_that_never_come_leave_connections_for_other_reads(client: httpx.AsyncClient) -> None:
    before = count("crowded")
    forged = {"X-Consistency": format_positions({"probe": 2**63})}
    responses = await asyncio.gather(*(client.get("/source", headers=forged) for _ in range(20)))
    assert all(response.json() is False for response in responses)
    assert count("crowded") > before, "at most half of the connections waited"
    assert (await client.get("/source")).json() is True


async def test_write_has_its_events_and_its_position_in_one_token(client: httpx.AsyncClient) -> None:
    written = await client.post("/events")
    (token,) = written.headers.get_list("X-Consistency")
    assert len(event_ids_in(token)) == 1
    first = parse_positions(token)["probe"]
    token = (await client.post("/events")).headers["X-Consistency"]
    assert parse_positions(token)["probe"] > first
    assert "X-Consistency" not in (await client.get("/source")).headers


def test_joined_tokens_require_the_highest_position_of_each_service() -> None:
    assert parse_positions("stock@A, catalog@1F,stock@9") == {"stock": 10, "catalog": 31}
    assert parse_positions("") == {}
    assert event_ids_in("stock@A, one ,,two") == ["one", "two"]
