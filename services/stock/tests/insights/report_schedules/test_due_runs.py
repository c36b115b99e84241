"""Due schedules: each run starts once, with the rights that the owner has then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.jobs.model import MAX_ATTEMPTS
from stockbuddy.contracts.auth import (
    RoleCreated,
    RoleUpdated,
    SettingsChanged,
    UserDeactivated,
    UserReactivated,
    UserRoleChanged,
)

if TYPE_CHECKING:
    from services.stock.tests.conftest import Caller, Shop, StartShop

DAILY = {"frequency": "daily", "time": "07:00"}
SALES = {"name": "Sales of yesterday", "report": "sales", "period": "yesterday", "recurrence": DAILY}
USER = {"user_id": 6, "username": "mia", "email": "mia@example.com", "role": "manager", "is_active": True}
DEADLINE_SECONDS = 60


async def make_due(database: asyncpg.Connection, days: int = 3) -> None:
    """As if the system had been down since several runs of every schedule."""
    await database.execute("UPDATE report_schedule SET next_run_at = now() - make_interval(days => $1)", days)


async def until(owner: Caller, schedule: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """The schedule once it has these values; `state`: of its latest run."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            found: dict[str, Any] = await owner.get(f"/report-schedules/{schedule['id']}")
            shown = {**found, "state": (found["last_run"] or {}).get("state")}
            if all(shown[name] == value for name, value in wanted.items()):
                return found
            await asyncio.sleep(0.05)


async def test_missed_times_start_one_run_although_there_are_two_replicas(
    start_shop: StartShop, database: asyncpg.Connection
) -> None:
    first, second = await start_shop(), await start_shop()
    schedules = [await first.admin.post("/report-schedules", SALES) for _ in range(5)]
    await make_due(database)
    for schedule in schedules:
        done = await until(first.admin, schedule, state="done")
        assert done["next_run_at"] == schedule["next_run_at"]
    assert await database.fetchval("SELECT count(*) FROM job") == len(schedules)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(produced(first) + produced(second)) < len(schedules):
            await asyncio.sleep(0.02)
    assert sorted(produced(first) + produced(second)) == sorted(schedule["id"] for schedule in schedules)


def produced(shop: Shop) -> list[int]:
    return [event["schedule_id"] for event in shop.bus.events("stock.report.produced")]


async def test_period_is_evaluated_at_the_run_in_the_time_zone_of_the_company(
    shop: Shop, database: asyncpg.Connection
) -> None:
    await shop.deliver(settings("Pacific/Kiritimati"))
    schedule = await shop.admin.post("/report-schedules", SALES | {"parameters": {"category": "A & B"}})
    assert (schedule["timezone"], schedule["next_run_at"][11:]) == ("Pacific/Kiritimati", "17:00:00Z")
    await make_due(database)
    done = await until(shop.admin, schedule, state="done")
    job = await shop.admin.get(done["last_run"]["job_url"].removeprefix("/api/v1"))
    query = {name: values[0] for name, values in parse_qs(urlsplit(job["request"]).query).items()}
    bounds = await database.fetchrow("""
        SELECT CAST(CAST(now() AT TIME ZONE 'Pacific/Kiritimati' AS date) - 1 AS text) AS yesterday,
            CAST(CAST(now() AT TIME ZONE 'Pacific/Kiritimati' AS date) AS text) AS today
    """)
    assert query == {
        "category": "A & B",
        "format": "xlsx",
        "from": bounds["yesterday"],
        "to": bounds["today"],
        "tz": "Pacific/Kiritimati",
    }


def settings(timezone: str) -> SettingsChanged:
    values = {
        "version": 2,
        "company_name": "Tea & Co",
        "currency": "EUR",
        "timezone": timezone,
        "registration_open": True,
        "default_low_stock_threshold": 10,
        "alert_emails": [],
        "negative_stock": "reject",
    }
    return SettingsChanged.model_validate(values)


async def test_next_run_follows_the_time_zone_of_the_company(shop: Shop) -> None:
    schedule = await shop.admin.post("/report-schedules", SALES)
    await shop.deliver(settings("Asia/Kolkata"))
    moved = await until(shop.admin, schedule, timezone="Asia/Kolkata")
    assert moved["next_run_at"].endswith("T01:30:00Z")
    assert (moved["last_run"], moved["version"]) == (None, 2)


@pytest.mark.parametrize(
    ("state", "reason"),
    [({"is_active": False}, "owner_inactive"), ({"role": "viewer"}, "permission_revoked")],
)
async def test_schedule_of_an_owner_without_the_permission_is_paused(
    shop: Shop, database: asyncpg.Connection, state: dict[str, Any], reason: str
) -> None:
    owner = shop.caller(6, Role.MANAGER)
    schedule = await owner.post("/report-schedules", SALES)
    event = UserRoleChanged if "role" in state else UserDeactivated
    await shop.deliver(event.model_validate(USER | {"version": 2} | state))
    await make_due(database)
    paused = await until(owner, schedule, is_paused=True)
    assert (paused["pause_reason"], paused["next_run_at"], paused["last_run"]) == (reason, None, None)
    published = (await shop.wait_for_events(1, "stock.report_schedule.paused"))[0]
    assert (published["id"], published["owner_id"], published["pause_reason"]) == (schedule["id"], 6, reason)
    assert await database.fetchval("SELECT count(*) FROM job") == 0

    await shop.deliver(UserReactivated.model_validate(USER | {"version": 3}))
    path = f"/report-schedules/{schedule['id']}"
    resumed = (await owner.call("PATCH", path, json={"is_paused": False})).json()
    assert (resumed["is_paused"], resumed["pause_reason"]) == (False, None)
    await make_due(database)
    await until(owner, schedule, state="done")


async def test_permissions_are_those_of_the_role_as_it_is_now(shop: Shop, database: asyncpg.Connection) -> None:
    clerk = shop.caller(6, "clerk", scope="report.read cost.read")  # type: ignore[arg-type]
    schedule = await clerk.post("/report-schedules", SALES | {"report": "profit", "format": "csv"})
    await make_due(database)
    await until(clerk, schedule, state="done")
    role = {"name": "clerk", "version": 3, "permissions": ["report.read", "cost.read", "user.manage"]}
    await shop.deliver(RoleUpdated.model_validate(role))
    await make_due(database)
    events = await shop.wait_for_events(2, "stock.report.produced")
    assert [event["required_permissions"] for event in events] == [["cost.read", "report.read"]] * 2

    await shop.deliver(RoleCreated.model_validate(role | {"version": 2, "permissions": []}))  # arrives late
    await shop.deliver(RoleUpdated.model_validate(role | {"version": 4, "permissions": ["report.read"]}))
    await make_due(database)
    paused = await until(clerk, schedule, is_paused=True)
    assert paused["pause_reason"] == "permission_revoked"


@asynccontextmanager
async def interrupted_run(database: asyncpg.Connection, url: str, attempts: int) -> AsyncIterator[None]:
    """A run of the only schedule, whose worker dies in the attempt of this number while the block ends."""
    async with database.transaction():
        await database.execute("LOCK TABLE sale IN ACCESS EXCLUSIVE MODE")
        other = await asyncpg.connect(url, server_settings={"search_path": "stock"})
        await make_due(other)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await other.fetchval("SELECT state FROM job") != "running":
                await asyncio.sleep(0.02)
        # As if another replica had claimed the job, and died.
        await other.execute("UPDATE job SET runner = gen_random_uuid(), lease_until = now(), attempts = $1", attempts)
        await other.close()
        yield


async def test_run_survives_its_worker(shop: Shop, database: asyncpg.Connection, database_url: str) -> None:
    schedule = await shop.admin.post("/report-schedules", SALES)
    async with interrupted_run(database, database_url, attempts=2):
        pass
    await until(shop.admin, schedule, state="done", next_run_at=schedule["next_run_at"])
    await shop.wait_for_events(1, "stock.report.produced")
    await shop.wait_until_published()
    assert produced(shop) == [schedule["id"]]
    assert await database.fetchval("SELECT attempts FROM job") == 3


async def test_failed_run_is_recorded_and_announced(
    shop: Shop, database: asyncpg.Connection, database_url: str
) -> None:
    schedule = await shop.admin.post("/report-schedules", SALES)
    async with interrupted_run(database, database_url, attempts=MAX_ATTEMPTS):
        pass
    failed = await until(shop.admin, schedule, state="failed")
    assert (failed["last_run"]["problem_code"], failed["result_url"]) == ("job_interrupted", None)
    event = (await shop.wait_for_events(1, "stock.report.failed"))[0]
    assert (event["schedule_id"], event["problem_code"]) == (schedule["id"], "job_interrupted")
    assert failed["next_run_at"] == schedule["next_run_at"]
    await shop.wait_until_published()
    assert produced(shop) == []


async def test_paused_schedule_does_not_run_but_can_be_run(shop: Shop, database: asyncpg.Connection) -> None:
    paused = await shop.admin.post("/report-schedules", SALES | {"is_paused": True})
    active = await shop.admin.post("/report-schedules", SALES)
    await database.execute("UPDATE report_schedule SET next_run_at = now() WHERE NOT is_paused")
    await until(shop.admin, active, state="done")
    path = f"/report-schedules/{paused['id']}"
    assert (await shop.admin.get(path))["last_run"] is None
    await shop.admin.post(f"{path}/run")
    assert (await until(shop.admin, paused, state="done"))["next_run_at"] is None


async def test_progress_of_jobs_is_published(shop: Shop, database: asyncpg.Connection) -> None:
    schedule = await shop.admin.post("/report-schedules", SALES)
    await make_due(database)
    await until(shop.admin, schedule, state="done")
    (started,) = await shop.wait_for_events(1, "stock.job.progressed")
    assert (started["user_id"], started["progress"], started["path"]) == (1, 0, "/api/v1/reports/sales")
