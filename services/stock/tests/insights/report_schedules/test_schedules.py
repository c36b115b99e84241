"""Report schedules: created, changed and run by their owners, for their recipients."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, get_args

import pytest
from fastapi.routing import APIRoute

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.authentication import PermissionCheck
from stockbuddy.chassis.http.jobs.model import MAX_OPEN_JOBS
from stockbuddy.contracts.auth import UserErased
from stockbuddy.stock.insights.report_schedules.commands import MAX_SCHEDULES_PER_OWNER
from stockbuddy.stock.insights.report_schedules.report_request import REPORTS, ReportName
from stockbuddy.stock.insights.reports.routes import REPORTS as REPORT_PATHS
from stockbuddy.stock.insights.reports.routes import router

if TYPE_CHECKING:
    import asyncpg

    from services.stock.tests.conftest import Caller, Shop

DAILY = {"frequency": "daily", "time": "07:00"}
SALES = {"name": "Sales of yesterday", "report": "sales", "period": "yesterday", "recurrence": DAILY}
DEADLINE_SECONDS = 60


async def ended(owner: Caller, schedule: dict[str, Any]) -> dict[str, Any]:
    """The schedule after its run."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (found := await owner.get(f"/report-schedules/{schedule['id']}"))["last_run"]["state"] == "running":
            await asyncio.sleep(0.02)
    return dict(found)


async def test_schedule_is_created_changed_and_deleted(shop: Shop) -> None:
    manager = shop.caller(6, Role.MANAGER)
    made = await manager.post("/report-schedules", SALES, key="one")
    assert await manager.post("/report-schedules", SALES, key="one") == made
    assert (made["owner_id"], made["recipient_ids"], made["format"], made["language"]) == (6, [6], "xlsx", "en")
    assert (made["timezone"], made["is_paused"], made["last_run"], made["result_url"]) == ("UTC", False, None, None)
    assert made["next_run_at"].endswith("T07:00:00Z")
    path = f"/report-schedules/{made['id']}"

    change = {"name": "Week", "period": "last_week", "parameters": {"group_by": "product"}, "recipient_ids": [6, 7, 7]}
    response = await manager.call("PATCH", path, json=change, headers={"If-Match": '"1"'})
    changed = response.json()
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    assert (changed["name"], changed["period"], changed["recipient_ids"]) == ("Week", "last_week", [6, 7])
    assert changed["parameters"]["group_by"] == "product"
    assert changed["next_run_at"] == made["next_run_at"]
    stale = await manager.call("PUT", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412

    paused = (await manager.call("PATCH", path, json={"is_paused": True})).json()
    assert (paused["is_paused"], paused["next_run_at"], paused["pause_reason"]) == (True, None, None)
    weekly = {"frequency": "weekly", "time": "18:30", "weekdays": ["saturday"]}
    resumed = (await manager.call("PATCH", path, json={"is_paused": False, "recurrence": weekly})).json()
    assert resumed["next_run_at"].endswith("T18:30:00Z")

    assert (await manager.call("DELETE", path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await manager.call("DELETE", path)).status_code == 204
    await manager.expect_problem(404, path, method="GET")
    types = [f"stock.report_schedule.{what}" for what in ("created", "updated", "deleted")]
    events = await shop.wait_for_events(5, *types)
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5]
    assert (events[1]["recipient_ids"], events[1]["parameters"]) == ([6, 7], {"group_by": "product"})


async def test_schedules_are_those_of_owner_and_recipients(shop: Shop) -> None:
    owner, recipient, other = (shop.caller(user_id, Role.MANAGER) for user_id in (6, 7, 8))
    first = await owner.post("/report-schedules", SALES | {"recipient_ids": [7]})
    await owner.post("/report-schedules", SALES)
    page = await owner.get("/report-schedules", page_size=1)
    rest = await owner.get("/report-schedules", page_size=1, cursor=page["next_cursor"])
    assert (page["total"], len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert [item["id"] for item in (await recipient.get("/report-schedules"))["items"]] == [first["id"]]
    assert (await other.get("/report-schedules"))["total"] == 0
    path = f"/report-schedules/{first['id']}"
    assert await recipient.get(path) == first
    await recipient.expect_problem(404, path, {"name": "mine"}, method="PATCH")
    await recipient.expect_problem(404, path, method="DELETE")
    await recipient.expect_problem(404, f"{path}/run")
    for method, called in (("GET", path), ("GET", f"{path}/result"), ("POST", f"{path}/run")):
        await other.expect_problem(404, called, method=method)


@pytest.mark.parametrize(
    "wrong",
    [
        {"report": "horoscope"},
        {"period": None},
        {"period": "tomorrow"},
        {"report": "dead-stock"},
        {"report": "dead-stock", "period": None, "parameters": {"days": 0}},
        {"report": "turnover", "parameters": {"group_by": "day"}},
        {"parameters": {"group_by": "moon"}},
        {"parameters": {"colour": "red"}},
        {"recurrence": {"frequency": "weekly", "time": "07:00"}},
        {"recurrence": {"frequency": "daily", "time": "7"}},
        {"recipient_ids": []},
        {"recipient_ids": list(range(1, 22))},
        {"format": "pdf"},
        {"language": "tlh"},
        {"name": " "},
    ],
)
async def test_invalid_schedule_is_rejected(shared_shop: Shop, wrong: dict[str, Any]) -> None:
    await shared_shop.admin.expect_problem(422, "/report-schedules", SALES | wrong)


async def test_change_is_checked_with_what_it_leaves(shop: Shop) -> None:
    made = await shop.admin.post("/report-schedules", SALES | {"parameters": {"group_by": "seller"}})
    path = f"/report-schedules/{made['id']}"
    await shop.admin.expect_problem(422, path, {"report": "profit"}, method="PATCH")
    await shop.admin.expect_problem(422, path, {"report": "stock-aging", "parameters": {}}, method="PATCH")
    change: dict[str, Any] = {"report": "stock-aging", "parameters": {}, "period": None}
    assert (await shop.admin.call("PATCH", path, json=change)).status_code == 200


async def test_schedule_requires_a_user_with_the_permissions_of_the_report(shop: Shop) -> None:
    profit = SALES | {"report": "profit"}
    await shop.caller(5, Role.VIEWER).expect_problem(403, "/report-schedules", SALES)
    salesperson = shop.caller(5)
    await salesperson.expect_problem(403, "/report-schedules", profit)
    made = await salesperson.post("/report-schedules", SALES)
    await salesperson.expect_problem(403, f"/report-schedules/{made['id']}", {"report": "profit"}, method="PATCH")
    key = shop.caller(1, Role.ADMIN, session_id="key:4.abc")
    assert (await key.expect_problem(403, "/report-schedules", SALES))["code"] == "interactive_only"


async def test_number_of_schedules_is_limited(shop: Shop) -> None:
    bodies = [SALES | {"name": f"Report {number}"} for number in range(MAX_SCHEDULES_PER_OWNER + 3)]
    answers = await asyncio.gather(*(shop.admin.call("POST", "/report-schedules", json=body) for body in bodies))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * MAX_SCHEDULES_PER_OWNER + [409] * 3
    assert next(a for a in answers if a.status_code == 409).json()["code"] == "too_many_report_schedules"
    await shop.caller(6, Role.MANAGER).post("/report-schedules", SALES)


def test_every_report_can_be_scheduled_with_the_permissions_of_its_route() -> None:
    assert set(REPORTS) == set(get_args(ReportName)) == set(REPORT_PATHS)
    required: dict[str, frozenset[Permission]] = {}
    for route in router.routes:
        assert isinstance(route, APIRoute)
        checks = [one.dependency for one in route.dependencies if isinstance(one.dependency, PermissionCheck)]
        name = route.path.rpartition("/")[2]
        required[name] = frozenset().union(*(check.permissions for check in checks))
    assert {name: report.permissions for name, report in REPORTS.items()} == {name: required[name] for name in REPORTS}


async def test_every_report_runs_with_every_parameter(shop: Shop) -> None:
    examples: dict[str, Any] = {"warehouse_id": 1, "category": "Lamps", "method": "fifo", "days": 30}
    for name, report in REPORTS.items():
        parameters = {key: value for key, value in examples.items() if key in report.parameters}
        if report.groupings:
            parameters["group_by"] = report.groupings[-1]
        body = SALES | {"report": name, "parameters": parameters, "period": "last_week" if report.has_period else None}
        made = await shop.admin.post("/report-schedules", body)
        answer = await shop.admin.call("POST", f"/report-schedules/{made['id']}/run")
        assert answer.status_code == 202, answer.text
        job = answer.headers["location"].removeprefix("/api/v1")
        done = await ended(shop.admin, made)
        assert done["last_run"]["state"] == "done", await shop.admin.get(job)
        assert done["next_run_at"] == made["next_run_at"]


async def test_result_is_for_readers_with_the_permissions_of_the_run(shop: Shop) -> None:
    owner = shop.caller(6, Role.MANAGER)
    body = SALES | {"format": "csv", "recipient_ids": [6, 7, 8]}
    made = await owner.post("/report-schedules", body)
    path = f"/report-schedules/{made['id']}"
    missing = await owner.expect_problem(404, f"{path}/result", method="GET")
    assert missing["code"] == "no_report_result"

    running = await owner.post(f"{path}/run")
    assert running["last_run"]["state"] == "running"
    done = await ended(owner, made)
    assert (done["last_run"]["state"], done["result_url"]) == ("done", f"/api/v1{path}/result")
    result = await owner.call("GET", f"{path}/result")
    assert result.headers["content-type"].startswith("text/csv")
    assert "profit" in result.text
    assert (await shop.caller(7, Role.ADMIN).call("GET", f"{path}/result")).content == result.content
    refused = await shop.caller(8).expect_problem(403, f"{path}/result", method="GET")
    assert refused["code"] == "forbidden"

    event = (await shop.wait_for_events(1, "stock.report.produced"))[0]
    assert (event["schedule_id"], event["owner_id"], event["recipient_ids"]) == (made["id"], 6, [6, 7, 8])
    assert event["required_permissions"] == ["customer.read", "cost.read", "report.read"]
    assert event["expires_at"] == done["result_expires_at"]


async def test_a_schedule_keeps_its_latest_result_only(shop: Shop, database: asyncpg.Connection) -> None:
    made = await shop.admin.post("/report-schedules", SALES)
    path = f"/report-schedules/{made['id']}"
    for _ in range(2):
        await shop.admin.post(f"{path}/run")
        await ended(shop.admin, made)
    jobs = (await shop.admin.get("/jobs/stock"))["items"]
    assert [job["url"] for job in jobs] == [(await shop.admin.get(path))["last_run"]["job_url"]]
    kept = await database.fetchval("SELECT extract(days FROM expires_at - finished_at) FROM job")
    assert kept == 7


async def test_run_is_refused_while_one_is_in_progress_and_beyond_the_limit_of_jobs(
    shop: Shop, database: asyncpg.Connection
) -> None:
    made = await shop.admin.post("/report-schedules", SALES)
    path = f"/report-schedules/{made['id']}/run"
    async with database.transaction():
        await database.execute("LOCK TABLE sale IN ACCESS EXCLUSIVE MODE")
        await shop.admin.post(path)
        assert (await shop.admin.expect_problem(409, path))["code"] == "report_running"
        others = [await shop.admin.post("/report-schedules", SALES) for _ in range(MAX_OPEN_JOBS)]
        answers = [await shop.admin.call("POST", f"/report-schedules/{other['id']}/run") for other in others]
        assert [answer.status_code for answer in answers] == [202] * (MAX_OPEN_JOBS - 1) + [429]
    assert (await ended(shop.admin, made))["last_run"]["state"] == "done"


async def test_run_whose_job_is_deleted_is_cancelled(shop: Shop, database: asyncpg.Connection) -> None:
    made = await shop.admin.post("/report-schedules", SALES)
    path = f"/report-schedules/{made['id']}"
    async with database.transaction():
        await database.execute("LOCK TABLE sale IN ACCESS EXCLUSIVE MODE")
        job_url = (await shop.admin.post(f"{path}/run"))["last_run"]["job_url"]
        assert (await shop.admin.call("DELETE", job_url.removeprefix("/api/v1"))).status_code == 204
        assert (await shop.admin.get(path))["last_run"] | {"started_at": ""} == {
            "state": "cancelled",
            "started_at": "",
            "job_url": None,
            "problem_code": None,
        }
    await shop.admin.post(f"{path}/run")
    assert (await ended(shop.admin, made))["last_run"]["state"] == "done"
    assert len(shop.bus.events("stock.report.produced")) <= 1


async def test_erased_user_vanishes_from_schedules(shop: Shop, database: asyncpg.Connection) -> None:
    erased, other = shop.caller(6, Role.MANAGER, username="erika"), shop.caller(7, Role.MANAGER)
    await erased.post("/report-schedules", SALES)
    received = await other.post("/report-schedules", SALES | {"recipient_ids": [6, 7]})
    person = {"user_id": 6, "version": 2, "username": "erased-6", "email": "", "role": "manager", "is_active": False}
    await shop.deliver(UserErased.model_validate(person))
    assert (await erased.get("/report-schedules"))["total"] == 0
    remaining = await other.get(f"/report-schedules/{received['id']}")
    assert (remaining["recipient_ids"], remaining["version"]) == ([7], 2)
    assert await database.fetchval("SELECT count(*) FROM user_replica WHERE username = 'erika'") == 0
