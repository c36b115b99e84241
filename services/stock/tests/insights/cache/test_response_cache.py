"""Responses that replicas keep in a shared cache are those of the current data."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import make_url
from valkey.asyncio import Valkey

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.response_cache.entry import decode
from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.contracts.catalog import ProductUpdated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    import asyncpg

    from services.stock.tests.conftest import ProductEvent, Shop, StartShop
    from stockbuddy.chassis.testing.plugin import NewDatabase
    from stockbuddy.chassis.testing.templates import Migrate
    from stockbuddy.chassis.testing.valkey import PrivateValkey

DEADLINE_SECONDS = 60
OUTCOMES = ("hit", "shared", "absent", "outdated", "unavailable", "invalid")
PATHS = (
    "/dashboard/stats",
    "/reports/inventory-valuation",
    "/reports/sales",
    "/reports/profit",
    "/reports/movements?group_by=none",
    "/reports/dead-stock?days=1",
    "/reports/stock-aging?format=csv",
    "/reorder-suggestions",
    "/reports/turnover",
)

DEPENDING_ON_TIME = ("/dashboard", "/reports/dead-stock", "/reports/stock-aging", "/reorder-suggestions")
"""They are read again when a minute begins."""
CHANGED_SETTINGS = SettingsChanged.model_validate(
    {
        "version": 2,
        "default_low_stock_threshold": 7,
        "negative_stock": "reject",
        "currency": "CHF",
        "company_name": "Shop",
        "timezone": "Asia/Tokyo",
        "registration_open": True,
        "alert_emails": [],
    }
)


def outcomes() -> dict[str, int]:
    """Requests of cached routes in this process by outcome."""
    name = "stockbuddy_response_cache_requests_total"
    values = {
        one: REGISTRY.get_sample_value(name, {"company": "", "service": "stock", "outcome": one}) for one in OUTCOMES
    }
    return {one: int(value or 0) for one, value in values.items()}


class Outcomes:
    """Those since it was made; `all` leaves out the ones that did not occur."""

    def __init__(self) -> None:
        self._before = outcomes()

    @property
    def all(self) -> dict[str, int]:
        counts = {one: count - self._before[one] for one, count in outcomes().items()}
        return {one: count for one, count in counts.items() if count}


@dataclass
class Cache:
    """What the replicas have stored, as someone with access to the server sees and changes it."""

    client: Valkey

    async def stored(self) -> dict[str, bytes]:
        return {key.decode(): await self.client.get(key) for key in await self.client.keys("*")}

    async def the_only_one(self) -> tuple[str, bytes]:
        [(key, entry)] = (await self.stored()).items()
        return key, entry


@pytest.fixture
async def cache(private_valkey: PrivateValkey) -> AsyncIterator[Cache]:
    client = Valkey.from_url(private_valkey.url)
    yield Cache(client)
    await client.aclose()


@pytest.fixture
async def first(start_shop: StartShop, private_valkey: PrivateValkey) -> Shop:
    return await start_shop(cache_url=private_valkey.url)


@pytest.fixture
async def second(start_shop: StartShop, private_valkey: PrivateValkey) -> Shop:
    """Another replica with the same cache."""
    return await start_shop(cache_url=private_valkey.url)


@pytest.fixture
async def uncached(start_shop: StartShop) -> Shop:
    return await start_shop(cache_seconds=0)


async def read_all(shop: Shop, paths: Sequence[str] = PATHS) -> list[str]:
    """The bodies of cached routes."""
    responses = [await shop.admin.call("GET", path) for path in paths]
    assert [response.status_code for response in responses] == [200] * len(paths)
    return [response.text for response in responses]


async def units(shop: Shop) -> float:
    return float((await shop.admin.get("/reports/inventory-valuation"))["totals"]["quantity"])


async def units_on_dashboard(shop: Shop) -> float:
    """In a response of several statements: the first reads them, and one after it reads the purchase orders."""
    return float((await shop.admin.get("/dashboard/stats"))["total_units"])


async def receive(shop: Shop, product_id: int, quantity: float = 5) -> None:
    body = {"product_id": product_id, "movement_type": "purchase", "quantity": quantity, "unit_cost": "2"}
    await shop.admin.post("/stock-movements", body)


async def test_replicas_share_what_they_keep(first: Shop, second: Shop) -> None:
    await first.product(10, cost_price="2")
    paths = [path for path in PATHS if not path.startswith(DEPENDING_ON_TIME)]
    seen = Outcomes()
    read = await read_all(first, paths)
    assert seen.all == {"absent": len(paths)}
    assert await read_all(second, paths) == read
    assert seen.all == {"absent": len(paths), "hit": len(paths)}


async def test_databases_of_one_server_share_no_responses(
    first: Shop,
    new_database: NewDatabase,
    migrations: list[Migrate],
    run_shop: Callable[..., AbstractAsyncContextManager[Shop]],
    private_valkey: PrivateValkey,
) -> None:
    """Copies of one template have the same tables, down to their identifiers in PostgreSQL."""
    await first.product(10)
    assert await units(first) == 10
    other_url = await new_database(*migrations)
    async with run_shop(other_url, cache_url=private_valkey.url) as other:
        assert [await units(other), await units(first), await units(other)] == [0, 10, 0]


async def test_every_change_is_seen_at_once_by_every_replica(
    first: Shop, second: Shop, uncached: Shop, product_created: ProductEvent
) -> None:
    tea, cup = await first.product(10, cost_price="2"), await first.product(4, cost_price="3")
    sale = await first.admin.post("/sales", {"product": tea, "quantity": 2})
    renamed = ProductUpdated.model_validate(product_created(tea).model_dump() | {"version": 2, "name": "Green tea"})
    changes: list[Any] = [
        lambda: receive(first, tea),
        lambda: first.admin.post("/sales", {"product": cup, "quantity": 1}),
        lambda: first.admin.post(f"/sales/{sale['id']}/returns", {}),
        lambda: first.warehouse("NORTH"),
        lambda: first.admin.post("/reservations", {"lines": [{"product_id": tea, "quantity": 1}]}),
        lambda: first.admin.post("/expenses", {"category": "rent", "amount": "20", "incurred_on": "2026-11-01"}),
        lambda: first.deliver(renamed),
        lambda: first.deliver(CHANGED_SETTINGS),
    ]
    for change in changes:
        before = await read_all(second)
        assert await read_all(first) == before
        await change()
        expected = await read_all(uncached)
        assert await read_all(second) == expected
        assert await read_all(first) == expected


async def test_deferred_message_outdates_what_was_read_before_it_was_handled(
    first: Shop, database: asyncpg.Connection
) -> None:
    """The row of the message was inserted by an earlier transaction than that of its effects."""
    insert = """
        INSERT INTO inbox (consumer, event_id, status, partition_key)
        VALUES ('stock.catalog.v1', gen_random_uuid(), 'retry', 'product/1')
    """
    await database.execute(insert)
    await units(first)
    seen = Outcomes()
    await units(first)
    assert seen.all == {"hit": 1}
    await database.execute("UPDATE inbox SET status = 'done'")
    await units(first)
    assert seen.all == {"hit": 1, "outdated": 1}


async def test_change_that_commits_while_a_response_is_read_outdates_it(
    first: Shop, second: Shop, database: asyncpg.Connection
) -> None:
    tea = await first.product(10)
    async with database.transaction():
        await database.execute("LOCK TABLE purchase_order IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(units_on_dashboard(second))
        await until_waiting(database)
        await receive(first, tea)
    assert await reading == 10
    assert (await units_on_dashboard(first), await units_on_dashboard(second)) == (15, 15)


async def test_transaction_in_progress_when_a_response_is_read_outdates_it_once_it_commits(
    first: Shop, database: asyncpg.Connection
) -> None:
    await units(first)
    async with database.transaction():
        await database.execute("INSERT INTO outbox_chunk (shard, events, types, body) VALUES (0, 0, '', '[]')")
        # A later transaction commits before it.
        await first.product(10)
        await units(first)
        seen = Outcomes()
        await units(first)
        assert seen.all == {"hit": 1}
    await units(first)
    assert seen.all == {"hit": 1, "outdated": 1}


async def until_waiting(database: asyncpg.Connection) -> None:
    """Wait until a session waits for a lock."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await database.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)


async def test_concurrent_requests_share_one_read(first: Shop) -> None:
    await first.product(10)
    seen = Outcomes()
    assert await asyncio.gather(*(units(first) for _ in range(20))) == [10] * 20
    assert seen.all["absent"] == 1
    assert sum(seen.all.values()) == 20


async def test_request_does_not_share_a_read_that_began_before_it(first: Shop, database: asyncpg.Connection) -> None:
    tea = await first.product(10)
    async with database.transaction():
        await database.execute("LOCK TABLE purchase_order IN ACCESS EXCLUSIVE MODE")
        early = asyncio.create_task(units_on_dashboard(first))
        await until_waiting(database)
        await receive(first, tea)
        late = asyncio.create_task(units_on_dashboard(first))
    assert await early == 10
    assert await late == 15


async def test_caller_gets_no_column_that_another_caller_may_see(first: Shop, second: Shop) -> None:
    tea = await first.product(10, cost_price="2")
    await first.admin.post("/sales", {"product": tea, "quantity": 1})
    seller = first.caller(7, Role.SALESPERSON)
    everything = {"cost", "profit"}
    for _ in range(2):
        assert everything <= (await second.admin.get("/reports/sales"))["totals"].keys()
        assert not everything & (await seller.get("/reports/sales"))["totals"].keys()
    assert (await first.caller(8, Role.VIEWER).call("GET", "/reports/sales")).status_code == 403


async def test_kept_response_has_the_entity_tag_and_headers_of_the_first(first: Shop, second: Shop) -> None:
    await first.product(10)
    path = "/reports/inventory-valuation?format=xlsx"
    read = await first.admin.call("GET", path)
    kept = await second.admin.call("GET", path)
    for name in ("ETag", "Content-Type", "Content-Disposition", "Content-Length", "Cache-Control"):
        assert kept.headers[name] == read.headers[name]
    assert kept.content == read.content
    unchanged = await second.admin.call("GET", path, headers={"If-None-Match": read.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_errors_are_not_kept(first: Shop, cache: Cache) -> None:
    for _ in range(2):
        assert (await first.admin.call("GET", "/reports/sales?from=1900-01-01")).status_code == 422
    assert await cache.stored() == {}


async def test_expired_entry_is_not_used(first: Shop, cache: Cache) -> None:
    await units(first)
    key, stored = await cache.the_only_one()
    assert 0 < await cache.client.ttl(key) <= 300
    entry = decode(key, stored)
    assert entry is not None
    await cache.client.set(key, replace(entry, created_at=entry.created_at - 301).encode(key))
    seen = Outcomes()
    await units(first)
    assert seen.all == {"absent": 1}


async def test_entry_of_the_past_is_not_used(first: Shop, second: Shop, cache: Cache) -> None:
    tea = await first.product(10)
    await units(first)
    key, old = await cache.the_only_one()
    await receive(first, tea)
    assert await units(first) == 15
    await cache.client.set(key, old)
    assert (await units(second), await units(first)) == (15, 15)


async def test_what_is_no_entry_of_the_key_is_not_used(first: Shop, cache: Cache) -> None:
    await first.product(10)
    turnover = (await first.admin.call("GET", "/reports/turnover")).json()
    _, other = await cache.the_only_one()
    await cache.client.flushall()
    await units(first)
    key, stored = await cache.the_only_one()
    entry = decode(key, stored)
    assert entry is not None
    without_snapshot = replace(entry, version=entry.version._replace(snapshot="none")).encode(key)
    for poison in (b"", b"garbage", stored[:-1], stored + b" ", other, without_snapshot):
        await cache.client.set(key, poison)
        assert await units(first) == 10
    assert (await first.admin.call("GET", "/reports/turnover")).json() == turnover


async def test_lost_and_frozen_cache_costs_no_request(
    first: Shop, private_valkey: PrivateValkey, uncached: Shop
) -> None:
    tea = await first.product(10)
    await read_all(first)
    private_valkey.freeze()
    await receive(first, tea)
    assert await read_all(first) == await read_all(uncached)
    private_valkey.thaw()
    await until_kept(first)
    private_valkey.stop()
    await receive(first, tea)
    assert await read_all(first) == await read_all(uncached)
    private_valkey.start()
    await until_kept(first)
    assert await read_all(first) == await read_all(uncached)


async def until_kept(shop: Shop) -> None:
    """Wait until the cache is used again."""
    seen = Outcomes()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while "hit" not in seen.all:
            await units(shop)
            await asyncio.sleep(0.05)


@pytest.fixture
async def restricted_url(database_url: str, database: asyncpg.Connection) -> AsyncIterator[str]:
    """For a role that may do everything in the schema, on a server that does not tell its identifier."""
    role = f"restricted_{uuid4().hex}"
    await database.execute(f"""
        CREATE ROLE {role} LOGIN PASSWORD '{role}';
        GRANT USAGE, CREATE ON SCHEMA stock TO {role};
        GRANT ALL ON ALL TABLES IN SCHEMA stock TO {role};
        GRANT ALL ON ALL SEQUENCES IN SCHEMA stock TO {role};
        GRANT ALL ON ALL FUNCTIONS IN SCHEMA stock TO {role};
        REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC
    """)
    parts = make_url(database_url).set(username=role, password=role)
    yield parts.render_as_string(hide_password=False)
    await database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_database_that_does_not_tell_its_version_is_read_without_the_cache(
    restricted_url: str, run_shop: Callable[..., AbstractAsyncContextManager[Shop]]
) -> None:
    async with run_shop(restricted_url) as shop:
        tea = await shop.product(10)
        seen = Outcomes()
        assert [await units(shop), await units(shop)] == [10, 10]
        await receive(shop, tea)
        assert await units(shop) == 15
        assert seen.all == {"unavailable": 3}


async def test_replica_without_a_server_keeps_responses_in_memory(start_shop: StartShop) -> None:
    alone, writer = await start_shop(), await start_shop()
    tea = await alone.product(10)
    await units(alone)
    seen = Outcomes()
    assert await units(alone) == 10
    assert seen.all == {"hit": 1}
    await receive(writer, tea)
    assert await units(alone) == 15


async def test_cache_is_off_with_zero_seconds(
    start_shop: StartShop, cache: Cache, private_valkey: PrivateValkey
) -> None:
    off = await start_shop(cache_url=private_valkey.url, cache_seconds=0)
    seen = Outcomes()
    await read_all(off)
    assert (seen.all, await cache.stored()) == ({}, {})
