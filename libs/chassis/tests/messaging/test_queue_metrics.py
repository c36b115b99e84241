"""Metrics of outbox, inbox and database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
from asgi_lifespan import LifespanManager
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, PredecessorMissing, each
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged
from stockbuddy.local_servers.postgres import LocalPostgres

DEADLINE_SECONDS = 60
PUBLISHED = f'stockbuddy_events_published_total{{service="probe",type="{ProbeChanged.type}"}}'


async def set_aside(session: AsyncSession, event: ProbeChanged) -> None:
    raise PredecessorMissing("waits") if event.number == 0 else PermanentFailure("never")


@asynccontextmanager
async def probe(url: str, *, bus: InProcessBus) -> AsyncIterator[httpx.AsyncClient]:
    consumers = [Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, set_aside)})]
    app = create_app(
        Service("probe", "Probe", [], consumers), ServiceSettings(env="development", database_url=url), bus=bus
    )
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://probe") as client,
    ):
        yield client


async def metric(client: httpx.AsyncClient, name: str) -> float | None:
    page = (await client.get("/metrics")).text
    return next((float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name + " ")), None)


async def until(client: httpx.AsyncClient, name: str, wanted: float) -> None:
    """Poll until the gauge says so: it is only set when it is asked for."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await metric(client, name) != wanted:
            await asyncio.sleep(0.02)


async def say(database: Database, *numbers: int) -> None:
    async with database.transaction() as session:
        outbox.add(session, *(ProbeChanged(thing=number, number=number) for number in numbers))


async def test_deferred_messages_are_counted_by_state(database: Database, database_url: str) -> None:
    async with probe(database_url, bus=InProcessBus(groups=GROUPS)) as client:
        published = await metric(client, PUBLISHED)
        assert published is not None, "from the start"
        await say(database, 0, 1, 2)
        await until(client, f'stockbuddy_inbox_messages{{company="",group="{EFFECTS_GROUP}",state="dead"}}', 2)
        assert (
            await metric(client, f'stockbuddy_inbox_messages{{company="",group="{EFFECTS_GROUP}",state="parked"}}') == 1
        )
        assert (
            await metric(client, f'stockbuddy_inbox_messages{{company="",group="{EFFECTS_GROUP}",state="retry"}}') == 0
        )
        await until(client, 'stockbuddy_outbox_events{company="",service="probe"}', 0)
        await until(client, PUBLISHED, published + 3)


async def test_unpublished_events_are_counted_with_their_age(database: Database, database_url: str) -> None:
    waiting = InProcessBus(expected_services=frozenset({"probe"}), groups={"probe.never.v1": ("#",)})
    async with probe(database_url, bus=waiting) as client:
        await say(database, 1, 2)
        await until(client, 'stockbuddy_outbox_events{company="",service="probe"}', 2)
        assert (await metric(client, 'stockbuddy_outbox_oldest_seconds{company="",service="probe"}') or 0) > 0


async def test_metrics_are_available_while_the_database_is_not(private_postgres: LocalPostgres) -> None:
    await migrate(private_postgres.url, "probe", Path(__file__).parents[1] / "probe" / "migrations")
    async with probe(private_postgres.url, bus=InProcessBus(groups=GROUPS)) as client:
        assert await metric(client, 'stockbuddy_database_up{company="",service="probe"}') == 1
        assert await metric(client, 'stockbuddy_database_connections{company="",service="probe",state="max"}') == 20
        assert (
            await metric(client, 'stockbuddy_database_connections{company="",service="probe",state="idle"}') or 0
        ) > 0
        private_postgres.stop()
        assert await metric(client, 'stockbuddy_database_up{company="",service="probe"}') == 0
