"""Responses and readiness of a service whose environment is at fault, and of one that is shut down."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2 as httpx
import pytest
import uvicorn
from asgi_lifespan import LifespanManager
from fastapi import APIRouter, FastAPI
from sqlalchemy import text

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.probe import ProbeChanged

DEADLINE_SECONDS = 60
router = APIRouter(prefix="/api/v1/effects", route_class=ConditionalRoute, dependencies=[PUBLIC])


@router.get("")
async def list_effects(session: ReadSession) -> list[int]:
    return list(await session.scalars(text("SELECT number FROM effect ORDER BY id")))


@router.post("/{number}", status_code=201)
async def add_effect(number: int, session: Session) -> int:
    await session.execute(text("INSERT INTO effect (subject, number) VALUES ('thing/1', :number)"), {"number": number})
    return number


@router.get("/unrelated")
async def read_unrelated(session: ReadSession) -> int:
    return int(await session.scalar(text("SELECT count(*) FROM inbox")) or 0)


@router.post("/events/{size}")
async def publish_event(size: int, session: Session) -> None:
    outbox.add(session, HugeChanged(thing=1, number=1, text="x" * size))


@router.get("/slow")
async def wait_forever() -> None:
    await asyncio.Event().wait()


class HugeChanged(ProbeChanged):
    text: str


def probe_settings(url: str) -> ServiceSettings:
    return ServiceSettings(env="development", database_url=url)


def create_probe(url: str) -> FastAPI:
    return create_app(Service("probe", "Probe", [router]), probe_settings(url))


@asynccontextmanager
async def running(url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_probe(url)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(transport=transport, base_url="http://probe") as client,
    ):
        yield client


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with running(database_url) as client:
        yield client


async def alter_database(database: Database, setting: str) -> None:
    async with database.reading() as session:
        name = await session.scalar(text("SELECT current_database()"))
        await session.execute(text(f'ALTER DATABASE "{name}" {setting}'))


async def test_read_only_database_gets_a_retryable_error_and_is_named_by_readiness(
    database: Database, database_url: str
) -> None:
    await alter_database(database, "SET default_transaction_read_only = on")
    async with running(database_url) as client:
        refused = await client.post("/api/v1/effects/1")
        assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
        assert refused.json()["detail"] == "Temporarily unavailable (database: read only)."
        assert int(refused.headers["Retry-After"]) > 0
        assert (await client.get("/api/v1/effects")).status_code == 200
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["database"]) == (503, "read_only")


async def test_service_without_its_bus_is_degraded_and_serves_requests(database: Database, database_url: str) -> None:
    bus = InProcessBus()
    await bus.close()
    app = create_app(Service("probe", "Probe", [router]), probe_settings(database_url), bus=bus)
    transport = httpx.ASGITransport(app)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(transport=transport, base_url="http://probe") as client,
    ):
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (
            200,
            {"status": "degraded", "parts": {"database": "ok", "bus": "unavailable"}},
        )
        assert (await client.post("/api/v1/effects/events/1")).status_code == 200


async def test_response_to_a_write_names_its_last_events(client: httpx.AsyncClient, database: Database) -> None:
    written = await client.post("/api/v1/effects/events/1")
    async with database.reading() as session:
        waiting = await session.execute(text("SELECT event_id FROM outbox_event"))
    assert written.headers["X-Consistency"] == str(waiting.scalar_one())
    assert "X-Consistency" not in (await client.get("/api/v1/effects")).headers
    refused = await client.post(f"/api/v1/effects/events/{outbox.MAX_EVENT_BYTES}")
    assert "X-Consistency" not in refused.headers


async def test_refused_credentials_get_a_retryable_error(database: Database, database_url: str) -> None:
    async with database.reading() as session:
        await session.execute(text("DROP ROLE IF EXISTS locked_out"))
        await session.execute(text("CREATE ROLE locked_out NOLOGIN"))
    async with running(re.sub("//.*@", "//locked_out@", database_url)) as client:
        refused = await client.get("/api/v1/effects")
        ready = await client.get("/health/ready")
    async with database.reading() as session:
        await session.execute(text("DROP ROLE locked_out"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert ready.json()["parts"]["database"] == "credentials_refused"
    assert "locked_out" not in refused.text + ready.text


async def test_locked_table_affects_only_the_requests_that_use_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    async with database.transaction() as session:
        await session.execute(text("LOCK TABLE effect"))
        waiting = [asyncio.create_task(client.get("/api/v1/effects")) for _ in range(20)]
        unrelated = await client.get("/api/v1/effects/unrelated")
        responses = await asyncio.gather(*waiting)
        assert (await client.get("/health/ready")).status_code == 200
    assert unrelated.status_code == 200
    assert {response.status_code for response in responses} == {503}
    assert {response.json()["detail"] for response in responses} == {
        "Temporarily unavailable (database: lock timeout)."
    }


async def test_change_with_an_event_beyond_the_limit_is_rejected(client: httpx.AsyncClient, database: Database) -> None:
    refused = await client.post(f"/api/v1/effects/events/{outbox.MAX_EVENT_BYTES}")
    assert (refused.status_code, refused.json()["code"]) == (422, "change_too_large")
    assert (await client.post(f"/api/v1/effects/events/{outbox.MAX_EVENT_BYTES - 2000}")).status_code == 200
    async with database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM outbox_dead")) == 0


async def test_request_that_outlasts_the_grace_period_gets_a_problem(database_url: str) -> None:
    config = uvicorn.Config(
        create_probe(database_url), port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not server.started:
            await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, timeout=DEADLINE_SECONDS) as client:
            slow = asyncio.create_task(client.get("/api/v1/effects/slow"))
            while not server.server_state.tasks:
                await asyncio.sleep(0.01)
            server.should_exit = True
            response = await slow
        await task
    assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_endpoints_for_operators_accept_head_and_reject_post(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.head(path)).status_code == 200
    refused = await client.post(path)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert refused.headers["Content-Type"] == "application/problem+json"
