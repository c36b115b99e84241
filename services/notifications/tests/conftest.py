"""The service on a real database, with an in-process bus and callers with real tokens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import to_message
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import UserRegistered, UserState
from stockbuddy.contracts.catalog import ProductCreated, ProductState
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.stock import LevelChanged, LevelCrossing, MovementPosted
from stockbuddy.notifications.app import SERVICE, NotificationsSettings

ALICE = EventContext(
    actor_id=7, actor_name="alice", client_ip="203.0.113.9", request_id="req-1", traceparent="00-ab-cd-01"
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def migrations() -> list[Migrate]:
    return [ServiceMigrations("notifications", Path(__file__).parents[1] / "migrations")]


@pytest.fixture(scope="session")
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def options() -> dict[str, Any]:
    """Settings of a test module that differ from the defaults."""
    return {}


@pytest.fixture
def settings(database_url: str, options: dict[str, Any]) -> NotificationsSettings:
    return NotificationsSettings(env="development", database_url=database_url, **options)


@dataclass(frozen=True, slots=True)
class Replica:
    """A running replica of the service with its own bus."""

    app: FastAPI
    bus: InProcessBus

    async def publish(self, *events: Event, context: EventContext = ALICE) -> list[Message]:
        """Publish events in `context`; returns when the consumers of this replica have committed."""
        messages = [message_of(event, context) for event in events]
        await self.deliver(messages)
        return messages

    async def deliver(self, messages: Iterable[Message]) -> None:
        """Like `publish`, for messages."""
        await self.bus.publish(chunks_of(messages))

    def client(self, **headers: str) -> AsyncClient:
        return AsyncClient(
            transport=ASGITransport(self.app), base_url="http://notifications/api/v1", headers=headers or None
        )


@pytest.fixture
async def start(settings: NotificationsSettings, issuer: TestIssuer) -> AsyncIterator[Callable[[], Awaitable[Replica]]]:
    """Starts replicas on one database."""
    async with AsyncExitStack() as stack:

        async def start_replica() -> Replica:
            bus = InProcessBus(frozenset({"notifications"}))
            app = create_app(SERVICE, settings, bus=bus, fetch_jwks=issuer.fetch_jwks)
            stack.push_async_callback(bus.close)
            await stack.enter_async_context(LifespanManager(app, startup_timeout=60, shutdown_timeout=60))
            return Replica(app, bus)

        yield start_replica


@pytest.fixture
async def service(start: Callable[[], Awaitable[Replica]]) -> Replica:
    return await start()


@pytest.fixture
async def client(service: Replica) -> AsyncIterator[AsyncClient]:
    """Without credentials."""
    async with service.client() as client:
        yield client


@pytest.fixture
async def admin(service: Replica, issuer: TestIssuer) -> AsyncIterator[AsyncClient]:
    async with service.client(**issuer.headers(1, Role.ADMIN, username="root")) as client:
        yield client


def message_of(event: Event, context: EventContext = ALICE) -> Message:
    """The message that the relay of the event's service would publish."""
    return to_message(outbox.to_outbox_event(event, context).text)


async def until(look: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """The first truthy result of `look`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := await look()):
        assert asyncio.get_running_loop().time() < deadline, "the condition was not met in time"
        await asyncio.sleep(0.02)
    return found


@pytest.fixture(name="message_of")
def message_of_fixture() -> Callable[[Event], Message]:
    return message_of


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Awaitable[Any]]:
    return until


class Samples:
    """Events as other services publish them."""

    @staticmethod
    def movement(product_id: int = 42, **fields: Any) -> MovementPosted:
        values = {
            "id": 1,
            "product_id": product_id,
            "sku": f"SKU-{product_id}",
            "warehouse_id": 1,
            "movement_type": "sale",
            "quantity": -2,
            "before": 10,
            "balance": 8,
            "reference_number": "INV-7",
            "occurred_at": NOON,
            "recorded_at": NOON,
        }
        return MovementPosted.model_validate(values | fields)

    @staticmethod
    def level(product_id: int = 42, **fields: Any) -> LevelChanged:
        values = {
            "product_id": product_id,
            "sku": f"SKU-{product_id}",
            "warehouse_id": 1,
            "version": 3,
            "before": 10,
            "delta": -2,
            "on_hand": 8,
            "reserved": 0,
            "reason": "sale",
            "changed_at": NOON,
        }
        return LevelChanged.model_validate(values | fields)

    @staticmethod
    def crossing(kind: type[LevelCrossing], product_id: int = 42, **fields: Any) -> LevelCrossing:
        level = Samples.level(product_id).model_dump() | {"threshold": 5, "before": 6, "delta": -3, "on_hand": 3}
        return kind.model_validate(level | fields)

    @staticmethod
    def user(user_id: int = 9, kind: type[UserState] = UserRegistered, **fields: Any) -> UserState:
        values = {
            "user_id": user_id,
            "version": 1,
            "username": f"user{user_id}",
            "email": f"user{user_id}@example.com",
            "role": "manager",
        }
        return kind.model_validate(values | fields)

    @staticmethod
    def product(kind: type[ProductState] = ProductCreated, product_id: int = 42, **fields: Any) -> ProductState:
        values = {
            "product_id": product_id,
            "version": 1,
            "sku": f"SKU-{product_id}",
            "name": "Teapot",
            "unit_price": "19.90",
            "is_active": True,
            "created_at": NOON,
            "updated_at": NOON,
        }
        return kind.model_validate(values | fields)


@pytest.fixture
def samples() -> Samples:
    return Samples()
