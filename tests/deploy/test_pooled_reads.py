"""Reads from two standbys behind PgBouncer, which assigns another one from transaction to transaction: a caller always
reads what it wrote, and a report has one snapshot."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, register
from stockbuddy.chassis.testing.pgbouncer import PooledReplicas, pooled_replicas
from tests.deploy.conftest import NAMES, Serve
from tests.e2e.standby import Standby, reads, until_primary_serves, until_replica_serves
from tests.faults.deployment import migrate_as_owners

READERS = ("catalog", "stock", "notifications")
ROUNDS = 20
CONCURRENT_READS = 4
SESSIONS = {"default_pool_size": "6", "server_round_robin": "1"}


@pytest.fixture
def servers(root: Path) -> Iterator[PooledReplicas]:
    with pooled_replicas(NAMES, root / "deploy", standbys=2, **SESSIONS) as servers:
        yield servers


@pytest.fixture
def standbys(servers: PooledReplicas) -> list[Standby]:
    return [Standby(servers.primary.server, standby) for standby in servers.standbys]


@pytest.fixture
async def http(servers: PooledReplicas, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    await migrate_as_owners(servers.primary.server.url)
    poolers = {
        "database_pooler": servers.primary.pgbouncer.address,
        "database_read_pooler": servers.pgbouncer.address,
    }
    async with serve(servers.primary.server.url, read_url=servers.standbys[0].url, **poolers) as client:
        yield client


@pytest.fixture
async def admin(http: httpx.AsyncClient) -> User:
    return await register(http, "ada", path="/auth/admin/register")


@pytest.fixture
async def product(admin: User, standbys: list[Standby]) -> dict[str, Any]:
    """A product with two receipts of different costs, which every service and standby has."""
    product: dict[str, Any] = await admin.post("/products", {"name": "Kettle", "sku": "K-1", "unit_price": "20"})
    for cost in ("4", "6"):
        await receive(admin, product, 5, unit_cost=cost)
    for service in READERS:
        await until_replica_serves(admin, service)
    for standby in standbys:
        await standby.catch_up()
    return product


async def receive(user: User, product: dict[str, Any], quantity: int, **more: str) -> None:
    body = {"product_id": product["id"], "quantity": quantity, "movement_type": "purchase", **more}
    await user.post("/stock-movements", body)


async def test_a_caller_reads_its_writes_although_one_of_two_standbys_is_paused(
    admin: User, product: dict[str, Any], standbys: list[Standby]
) -> None:
    """The rounds take less than the interval after which a paused standby is found to lag too much."""
    await standbys[1].pause()
    before = {outcome: reads("catalog", outcome) for outcome in ("replica", "behind")}
    for number in range(ROUNDS):
        name = f"Kettle {number}"
        changed = await admin.call("PATCH", f"/products/{product['id']}", json={"name": name})
        assert changed.status_code == 200, changed.text
        # At once, so that PgBouncer needs sessions on both standbys.
        found = await asyncio.gather(*(admin.get(f"/products/{product['id']}") for _ in range(CONCURRENT_READS)))
        assert {one["name"] for one in found} == {name}
        assert (await admin.get("/products"))["items"][0]["name"] == name
        await receive(admin, product, 1)
        assert (
            len((await admin.get("/stock-movements", product_id=product["id"], page_size=100))["items"]) == 3 + number
        )
    for outcome, earlier in before.items():
        assert reads("catalog", outcome) > earlier, outcome


async def test_lists_exports_and_reports_are_read_from_the_standbys(
    admin: User, product: dict[str, Any], servers: PooledReplicas
) -> None:
    before = {service: reads(service) for service in READERS}
    repeated = reads("stock", "unavailable")
    assert "Kettle" in (await admin.call("GET", "/products/export")).text
    valuation = await admin.get("/reports/inventory-valuation", method="fifo")
    assert float(valuation["totals"]["value"]) == 50
    assert (await admin.get("/stock/integrity", values="fifo"))["ok"] is True
    assert (await admin.get("/warehouses"))["items"]
    assert (await admin.get("/notifications"))["items"] == []
    for service, earlier in before.items():
        assert reads(service) > earlier, service
    assert reads("stock", "unavailable") == repeated, "no read has failed on a standby"
    clients = servers.pgbouncer.command("SHOW CLIENTS")
    assert {client["user"] for client in clients} >= set(READERS)
    assert not any(row["sv_active"] != "0" for row in servers.pgbouncer.command("SHOW POOLS") if row["user"] in NAMES)


async def test_primary_serves_while_the_standbys_or_their_pgbouncer_are_down(
    admin: User, product: dict[str, Any], servers: PooledReplicas
) -> None:
    async def outage() -> None:
        await until_primary_serves(admin)
        await receive(admin, product, 1)
        assert (await admin.get(f"/products/{product['id']}"))["name"] == "Kettle"

    await asyncio.to_thread(servers.pgbouncer.kill)
    await outage()
    await asyncio.to_thread(servers.pgbouncer.start)
    for service in READERS:
        await until_replica_serves(admin, service)

    for standby in servers.standbys:
        await asyncio.to_thread(standby.kill)
    await outage()
    for standby in servers.standbys:
        await asyncio.to_thread(standby.restart)
    for service in READERS:
        await until_replica_serves(admin, service)
