"""Fixtures that run the service on a real database, with signed access tokens and events of catalog and auth."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import Chunk, batch_text
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations, TemplateDatabases
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.catalog import ProductCreated
from stockbuddy.contracts.event import Event
from stockbuddy.stock.app import MIGRATIONS, SERVICE, StockSettings

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
DEADLINE_SECONDS = 60


@pytest.fixture(scope="session")
def migrations() -> list[Migrate]:
    return [ServiceMigrations("stock", MIGRATIONS)]


@pytest.fixture(scope="session")
def issuer() -> TestIssuer:
    return TestIssuer()


class RecordingBus(InProcessBus):
    """The in-process bus, recording what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Message] = []

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        await super().publish(chunks)
        self.published += [message for chunk in chunks for message in chunk.messages()]

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The bodies of the published events of these types."""
        return [json.loads(message.body) for message in self.published if message.type in types]


@dataclass
class Caller:
    """An HTTP client with the access token of a user; paths are relative to `/api/v1`."""

    http: AsyncClient
    headers: dict[str, str]

    async def call(self, method: str, path: str, *, key: str | None = None, **options: Any) -> Response:
        headers = self.headers | options.pop("headers", {}) | ({"Idempotency-Key": key} if key else {})
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, path: str, **parameters: Any) -> Any:
        response = await self.call("GET", path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        response = await self.call("POST", path, json=body, key=key)
        assert response.status_code < 300, response.text
        return response.json()

    async def expect_problem(self, status: int, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """The problem with which the request is refused."""
        response = await self.call(method, path, json=body)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        return response.json()


@dataclass
class Shop:
    """A replica of the service; events of catalog and auth reach it through `deliver`."""

    app: FastAPI
    bus: RecordingBus
    http: AsyncClient
    issuer: TestIssuer
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def admin(self) -> Caller:
        return self.caller(1, Role.ADMIN)

    def caller(self, user_id: int, role: Role = Role.SALESPERSON, **details: Any) -> Caller:
        return Caller(self.http, self.issuer.headers(user_id, role, **details))

    async def deliver(self, *events: Event, actor_id: int = 1) -> None:
        """Deliver events as a relay does; returns once they are handled."""
        written = [outbox.to_outbox_event(event, EventContext(actor_id=actor_id)) for event in events]
        await self.bus.publish([Chunk((event.type,), batch_text([event.text])) for event in written])

    async def product(self, quantity: float | None = None, **values: Any) -> int:
        """Create a product, with `quantity` as its opening stock in the default warehouse."""
        event = created_event(next(self._numbers), opening_quantity=quantity, **values)
        await self.deliver(event)
        return event.product_id

    async def on_hand(self, product_id: int, warehouse_id: int | None = None) -> float:
        levels = (await self.admin.get("/stock-levels", product_id=product_id))["items"]
        found = [level for level in levels if warehouse_id in (None, level["warehouse_id"])]
        return float(sum((Decimal(str(level["on_hand"])) for level in found), Decimal(0)))

    async def level(self, product_id: int, warehouse_code: str = "MAIN") -> dict[str, Any]:
        levels = (await self.admin.get("/stock-levels", product_id=product_id))["items"]
        found: dict[str, Any] = next(level for level in levels if level["warehouse_code"] == warehouse_code)
        return found

    async def warehouse(self, code: str, **values: Any) -> int:
        opened = await self.admin.post("/warehouses", {"name": code.title(), "code": code, **values})
        warehouse_id: int = opened["id"]
        return warehouse_id

    async def wait_for_events(self, count: int, *types: str) -> list[dict[str, Any]]:
        """Wait until at least `count` events of these types are published; return their bodies."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(events := self.bus.events(*types)) < count:
                await asyncio.sleep(0.01)
        return events

    async def wait_until_published(self) -> None:
        """Wait until all committed events are published."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self._unpublished():
                await asyncio.sleep(0.01)

    async def _unpublished(self) -> bool:
        async with self.app.state.resources.database.raw() as connection:
            return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM outbox_chunk WHERE sent_at IS NULL)"))

    async def require_integrity(self) -> None:
        """The service's own reconciliation finds no difference."""
        assert await self.admin.get("/stock/integrity", values="fifo") == {
            "ok": True,
            "differences": [],
            "value_differences": [],
        }


def created_event(number: int, **values: Any) -> ProductCreated:
    defaults = {
        "product_id": number,
        "version": 1,
        "sku": f"SKU-{number}",
        "name": f"Product {number}",
        "owner_id": 1,
        "unit_price": "10.00",
        "low_stock_threshold": 0,
        "is_active": True,
        "created_at": MORNING,
        "updated_at": MORNING,
    }
    return ProductCreated.model_validate(defaults | values)


@asynccontextmanager
async def running_shop(database_url: str, issuer: TestIssuer, **settings: Any) -> AsyncIterator[Shop]:
    bus = RecordingBus()
    values = StockSettings(env="development", database_url=database_url, **settings)
    app = create_app(SERVICE, values, bus=bus, fetch_jwks=issuer.fetch_jwks)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60):
        transport = ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 40000))
        async with AsyncClient(transport=transport, base_url="http://stock", timeout=60) as http:
            yield Shop(app, bus, http, issuer)


ProductEvent = Callable[..., ProductCreated]


@pytest.fixture
def product_created() -> ProductEvent:
    """Builds the event of a new product with this id."""
    return created_event


StartShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def start_shop(database_url: str, issuer: TestIssuer) -> AsyncIterator[StartShop]:
    """Starts replicas that share a database; takes settings."""
    async with AsyncExitStack() as stack:
        yield lambda **settings: stack.enter_async_context(running_shop(database_url, issuer, **settings))


@pytest.fixture
def run_shop(issuer: TestIssuer) -> Callable[..., AbstractAsyncContextManager[Shop]]:
    """Runs a replica on the database at a URL; takes settings."""
    return lambda url, **settings: running_shop(url, issuer, **settings)


@pytest.fixture
async def shop(start_shop: StartShop) -> Shop:
    return await start_shop()


@pytest.fixture(scope="module")
async def shared_shop(
    databases: TemplateDatabases, migrations: list[Migrate], issuer: TestIssuer
) -> AsyncIterator[Shop]:
    """One for all tests of a module, which use products and warehouses of their own."""
    async with databases.clone(migrations) as url, running_shop(url, issuer) as shop:
        yield shop


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that bypasses the service."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "stock"})
    yield connection
    await connection.close()
