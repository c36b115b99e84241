"""The service on a real database, with an in-process bus and callers with real tokens."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from stockbuddy.catalog.app import SERVICE, CatalogSettings
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus import Subscription
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import to_message
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.stock import LevelChanged, WarehouseCreated
from stockbuddy.contracts.topology import CONSUMER_GROUPS

RECORDER = "recorder.everything.v1"
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="session")
def migrations() -> list[Migrate]:
    return [ServiceMigrations("catalog", Path(__file__).parents[1] / "migrations")]


@pytest.fixture(scope="session")
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> CatalogSettings:
    return CatalogSettings(env="development", database_url=database_url, image_store=str(tmp_path / "images"))


@dataclass(slots=True)
class RecordedEvents:
    """Every published event, in order."""

    messages: list[Message] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, messages: Sequence[Message]) -> None:
        async with self.changed:
            self.messages.extend(messages)
            self.changed.notify_all()

    async def wait_for(self, event_type: str, count: int = 1) -> list[dict[str, Any]]:
        """The data of the events of a type, as soon as there are `count` of them."""
        async with asyncio.timeout(TIMEOUT_SECONDS), self.changed:
            await self.changed.wait_for(lambda: len(self._of(event_type)) >= count)
            return self._of(event_type)

    def count(self, event_type: str) -> int:
        return len(self._of(event_type))

    def _of(self, event_type: str) -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.messages if message.type == event_type]


async def _always_ready() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Replica:
    """A running process of the service, its bus, and the events that it publishes."""

    app: FastAPI
    bus: InProcessBus
    issuer: TestIssuer
    events: RecordedEvents
    stop: Callable[[], Awaitable[None]]

    async def publish(self, *events: Event) -> list[Message]:
        """Publish events; returns when the service has committed their effects."""
        messages = [to_message(outbox.to_outbox_event(event).text) for event in events]
        await self.bus.publish(chunks_of(messages))
        return messages

    def client(self, user_id: int | None = None, role: Role | str = Role.SALESPERSON, **claims: Any) -> AsyncClient:
        headers = None if user_id is None else self.issuer.headers(user_id, role, **claims)
        return AsyncClient(transport=ASGITransport(self.app), base_url="http://catalog/api/v1", headers=headers)


Start = Callable[[], Awaitable[Replica]]


@pytest.fixture
async def start(settings: CatalogSettings, issuer: TestIssuer) -> AsyncIterator[Start]:
    """Starts replicas that share a database."""
    async with AsyncExitStack() as stack:

        async def start_replica() -> Replica:
            bus = InProcessBus(groups={**CONSUMER_GROUPS, RECORDER: ("#",)})
            events = RecordedEvents()
            await bus.subscribe(Subscription(RECORDER, events.receive, _always_ready))
            app = create_app(SERVICE, settings, bus=bus, fetch_jwks=issuer.fetch_jwks)
            stack.push_async_callback(bus.close)
            running = AsyncExitStack()
            await running.enter_async_context(LifespanManager(app, startup_timeout=60, shutdown_timeout=60))
            stack.push_async_callback(running.aclose)
            return Replica(app, bus, issuer, events, running.aclose)

        yield start_replica


@pytest.fixture
async def service(start: Start) -> Replica:
    return await start()


@pytest.fixture
async def seller(service: Replica) -> AsyncIterator[AsyncClient]:
    async with service.client(5) as client:
        yield client


@pytest.fixture
async def manager(service: Replica) -> AsyncIterator[AsyncClient]:
    async with service.client(2, Role.MANAGER) as client:
        yield client


@pytest.fixture
async def admin(service: Replica) -> AsyncIterator[AsyncClient]:
    async with service.client(1, Role.ADMIN) as client:
        yield client


class Samples:
    """Events as the stock service publishes them."""

    @staticmethod
    def level(product_id: int, on_hand: float | str, version: int = 1, **fields: Any) -> LevelChanged:
        values = {
            "product_id": product_id,
            "sku": f"SKU-{product_id}",
            "warehouse_id": 1,
            "version": version,
            "before": 0,
            "delta": on_hand,
            "on_hand": on_hand,
            "reserved": 0,
            "reason": "purchase",
            "changed_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        }
        return LevelChanged.model_validate(values | fields)

    @staticmethod
    def warehouse(warehouse_id: int, name: str = "Main", **fields: Any) -> WarehouseCreated:
        values = {
            "warehouse_id": warehouse_id,
            "version": 1,
            "code": name.upper(),
            "name": name,
            "kind": "warehouse",
            "is_default": warehouse_id == 1,
        }
        return WarehouseCreated.model_validate(values | fields)

    @staticmethod
    def settings(version: int, default_low_stock_threshold: float) -> SettingsChanged:
        return SettingsChanged(
            version=version,
            company_name="Corner shop",
            currency="EUR",
            timezone="UTC",
            registration_open=True,
            default_low_stock_threshold=Decimal(str(default_low_stock_threshold)),
            alert_emails=[],
            negative_stock="reject",
        )


@pytest.fixture
def samples() -> Samples:
    return Samples()
