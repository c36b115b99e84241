"""Reads through the gateway with a streaming replica that works, is paused, lags, stops and is promoted: a caller
always reads what it wrote."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, serving, until_ready
from stockbuddy.chassis.testing.postgres import ReplicatedPostgres
from stockbuddy.embedded.system import System
from tests.e2e.standby import Standby, reads, until_primary_serves, until_replica_serves


@pytest.fixture
async def standby(replicated_postgres: ReplicatedPostgres) -> Standby:
    return Standby(replicated_postgres.primary, replicated_postgres.standby)


@pytest.fixture
async def database_url(replicated_postgres: ReplicatedPostgres) -> str:
    return replicated_postgres.primary.url


@pytest.fixture
async def system(
    database_url: str, replicated_postgres: ReplicatedPostgres, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("DATABASE_READ_URL", replicated_postgres.standby.url)
    system = System(database_url, env="development")
    async with system.running():
        yield system


@pytest.fixture
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(system.gateway) as url, httpx.AsyncClient(base_url=url, timeout=180) as client:
        await until_ready(client)
        yield client


@pytest.fixture
async def product(admin: User, standby: Standby) -> dict[str, Any]:
    """A product that every service and the standby know."""
    product: dict[str, Any] = await admin.post("/products", {"name": "Kettle", "sku": "K-1", "unit_price": "20"})
    await until_replica_serves(admin, "catalog")
    await standby.catch_up()
    return product


async def receive_goods(user: User, product: dict[str, Any], quantity: int) -> httpx.Response:
    body = {"product_id": product["id"], "quantity": quantity, "movement_type": "in"}
    response = await user.call("POST", "/stock-movements", json=body)
    assert response.status_code == 201, response.text
    return response


async def movements(user: User, product: dict[str, Any]) -> list[int]:
    """The quantities of the product's movements."""
    page = await user.get("/stock-movements", product_id=product["id"], page_size=100)
    return [movement["quantity"] for movement in page["items"]]


async def names(user: User, product: dict[str, Any], **options: Any) -> tuple[str, str]:
    """The product's name in the list and by its id."""
    page = await user.call("GET", "/products", **options)
    one = await user.call("GET", f"/products/{product['id']}", **options)
    assert (page.status_code, one.status_code) == (200, 200)
    return page.json()["items"][0]["name"], one.json()["name"]


async def test_lists_and_lookups_are_read_from_the_replica(admin: User, product: dict[str, Any]) -> None:
    for service in ("catalog", "stock", "notifications"):
        await until_replica_serves(admin, service)
    before = reads("catalog")
    assert await names(admin, product) == ("Kettle", "Kettle")
    export = await admin.call("GET", "/products/export")
    assert "Kettle" in export.text
    assert reads("catalog") == before + 3


async def test_a_kept_response_of_the_replica_is_not_used_for_a_caller_that_has_written_since(
    admin: User, salesperson: User, product: dict[str, Any], standby: Standby
) -> None:
    await until_replica_serves(admin, "stock")
    await receive_goods(admin, product, 2)
    await standby.catch_up()
    reports = [await user.get("/reports/movements") for user in (admin, salesperson, admin, salesperson)]
    assert {report["totals"]["closing"] for report in reports} == {2}
    await standby.pause()
    await receive_goods(admin, product, 3)
    assert [(await admin.get("/reports/movements"))["totals"]["closing"] for _ in range(2)] == [5, 5]
    await standby.execute("SELECT pg_wal_replay_resume()")
    await standby.catch_up()
    assert (await salesperson.get("/reports/movements"))["totals"]["closing"] == 5


async def test_a_caller_reads_its_writes_while_the_replica_is_paused(
    admin: User, salesperson: User, product: dict[str, Any], standby: Standby
) -> None:
    await standby.catch_up()
    await standby.pause()
    changed = await admin.call("PATCH", f"/products/{product['id']}", json={"name": "Teapot"})
    assert changed.status_code == 200, changed.text
    assert await names(admin, product) == ("Teapot", "Teapot")
    export = await admin.call("GET", "/products/export")
    assert "Teapot" in export.text
    deferred = await admin.call("GET", "/products/export", headers={"Prefer": "respond-async"})
    job = deferred.json()["url"].removeprefix("/api/v1")
    await admin.until(job, lambda found: found["state"] == "done")
    assert "Teapot" in (await admin.call("GET", f"{job}/result")).text
    await receive_goods(admin, product, 5)
    assert await movements(admin, product) == [5]
    assert reads("catalog", "behind") > 0

    # The replica is really stale: a caller without a write of its own is served by it, until it lags too much.
    assert await names(salesperson, product) == ("Kettle", "Kettle")
    # A token makes another caller's write visible.
    token = {"X-Consistency": changed.headers["X-Consistency"]}
    assert await names(salesperson, product, headers=token) == ("Teapot", "Teapot")
    # No read lags by more than two intervals of the probe.
    await salesperson.until("/products", lambda page: page["items"][0]["name"] == "Teapot")
    before = reads("catalog", "unavailable")
    assert await names(salesperson, product) == ("Teapot", "Teapot")
    assert reads("catalog", "unavailable") == before + 2
    await standby.execute("SELECT pg_wal_replay_resume()")
    await until_replica_serves(salesperson, "catalog")
    assert await names(salesperson, product) == ("Teapot", "Teapot")


async def test_a_rejected_write_shows_the_state_that_it_was_rejected_for(
    admin: User, product: dict[str, Any], standby: Standby
) -> None:
    key = await admin.post("/auth/api-keys", {"name": "shop"})
    path, shop = f"/api/v1/products/{product['id']}", {"X-API-Key": key["key"]}
    await standby.catch_up()
    await standby.pause()
    await admin.call("PATCH", f"/products/{product['id']}", json={"name": "Teapot"})
    stale = await admin.http.get(path, headers=shop)
    assert stale.json()["name"] == "Kettle"
    change = {"name": "Urn"}
    rejected = await admin.http.patch(path, json=change, headers={**shop, "If-Match": stale.headers["ETag"]})
    assert rejected.status_code == 412
    current = await admin.http.get(path, headers=shop)
    assert current.json()["name"] == "Teapot"
    accepted = await admin.http.patch(path, json=change, headers={**shop, "If-Match": current.headers["ETag"]})
    assert accepted.status_code == 200


async def test_a_caller_reads_its_writes_while_the_replica_lags(
    admin: User, product: dict[str, Any], standby: Standby
) -> None:
    await standby.execute("ALTER SYSTEM SET recovery_min_apply_delay = '30ms'")
    await standby.execute("SELECT pg_reload_conf()")
    before = reads("catalog")
    for number in range(40):
        name = f"Kettle {number}"
        assert (await admin.call("PATCH", f"/products/{product['id']}", json={"name": name})).status_code == 200
        assert await names(admin, product) == (name, name)
        await receive_goods(admin, product, 1)
        assert len(await movements(admin, product)) == number + 1
    assert reads("catalog") > before


async def test_a_stopped_replica_is_replaced_by_the_primary_and_used_again(
    admin: User, product: dict[str, Any], standby: Standby
) -> None:
    async def read_and_write(number: int) -> None:
        change = {"low_stock_threshold": number}
        assert (await admin.call("PATCH", f"/products/{product['id']}", json=change)).status_code == 200
        assert (await admin.get(f"/products/{product['id']}"))["low_stock_threshold"] == number
        for path in ("/products", "/warehouses", "/notifications", "/sales"):
            await admin.get(path)

    async def work(until: asyncio.Event) -> int:
        rounds = 0
        while not until.is_set():
            await read_and_write(rounds)
            rounds += 1
        return rounds

    for end in (standby.server.kill, standby.server.stop):
        is_over = asyncio.Event()
        working = asyncio.create_task(work(is_over))
        await asyncio.to_thread(end)
        await until_primary_serves(admin)
        is_over.set()
        assert await working > 0
        await asyncio.to_thread(standby.server.restart)
        for service in ("catalog", "stock", "notifications"):
            await until_replica_serves(admin, service)


async def test_a_promoted_replica_is_not_read(admin: User, product: dict[str, Any], standby: Standby) -> None:
    await until_replica_serves(admin, "stock")
    assert await standby.execute("SELECT pg_promote()")
    await admin.call("PATCH", f"/products/{product['id']}", json={"name": "Teapot"})
    assert await names(admin, product) == ("Teapot", "Teapot")
    await receive_goods(admin, product, 5)
    assert await movements(admin, product) == [5]
    # A caller without a write of its own reads from the primary once the promotion was noticed.
    await until_primary_serves(admin)
    assert await names(admin, product) == ("Teapot", "Teapot")
