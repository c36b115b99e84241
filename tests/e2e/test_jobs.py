"""Reports and exports that a client lets the services produce in the background."""

import asyncio
from typing import Any

import asyncpg
import httpx2 as httpx

from stockbuddy.chassis.http.jobs.model import MAX_OPEN_JOBS
from stockbuddy.chassis.testing.clients import User, log_in, register

PREFER = {"Prefer": "respond-async, wait=10"}
TIMEOUT_SECONDS = 90


async def request_job(user: User, path: str) -> dict[str, Any]:
    """Request `path` as a job; returns the job."""
    response = await user.call("GET", path, headers=PREFER)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["Preference-Applied"] == "respond-async"
    assert response.headers["Location"] == job["url"]
    return job


def relative(path: str) -> str:
    return path.removeprefix("/api/v1")


async def finished(user: User, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (job := await user.get(relative(job["url"])))["state"] in ("queued", "running"):
            await asyncio.sleep(0.05)
    return job


async def sell(admin: User) -> None:
    product = {"name": "Lamp", "sku": "LAMP", "unit_price": "100", "cost_price": "41.37", "quantity": 5}
    made = await admin.post("/products", product)
    await admin.until(f"/products/{made['id']}", lambda found: found["quantity_in_stock"] == 5)
    await admin.post("/sales", {"lines": [{"product_id": made["id"], "quantity": 2}]})


async def user_with(http: httpx.AsyncClient, admin: User, name: str, permissions: list[str]) -> User:
    """A user with a role of these permissions and the user's own name."""
    await admin.post("/roles", {"name": name, "permissions": permissions})
    user = await register(http, name)
    changed = await admin.call("PATCH", f"/users/{user.tokens['user']['id']}", json={"role": name})
    assert changed.status_code == 200, changed.text
    return await log_in(http, name)


async def test_result_of_job_is_the_response_of_the_synchronous_call(admin: User) -> None:
    await sell(admin)
    for path in (
        "/reports/sales?group_by=product&tz=UTC",
        "/reports/sales?group_by=product&format=csv",
        "/reports/inventory-valuation?method=fifo",
        "/products/export?search=Lamp",
    ):
        synchronous = await admin.call("GET", path)
        job = await request_job(admin, path)
        done = await finished(admin, job)
        assert (done["state"], done["progress"], done["request"]) == ("done", 100, f"/api/v1{path}"), done
        result = await admin.call("GET", relative(done["result_url"]))
        assert result.status_code == synchronous.status_code == 200
        assert result.content == synchronous.content
        for header in ("Content-Type", "Content-Disposition"):
            assert result.headers.get(header) == synchronous.headers.get(header)
    workbook = await finished(admin, await request_job(admin, "/reports/sales?format=xlsx"))
    assert (await admin.call("GET", relative(workbook["result_url"]))).content.startswith(b"PK")


async def test_job_is_listed_announced_to_its_user_and_deleted(
    http: httpx.AsyncClient, admin: User, salesperson: User
) -> None:
    job = await finished(admin, await request_job(admin, "/reports/turnover"))
    assert [item["url"] for item in (await admin.get("/jobs/stock"))["items"]] == [job["url"]]
    assert (await admin.get("/jobs/catalog"))["items"] == []
    page = await admin.until("/events", lambda page: page["items"], types="stock.job.*")
    assert page["items"][0]["data"]["url"] == job["url"]
    assert page["items"][0]["data"]["path"] == "/api/v1/reports/turnover"
    other = await user_with(http, admin, "otto", ["report.read", "event.read"])
    assert (await other.get("/events", types="stock.job.*"))["items"] == []
    assert (await other.get("/jobs/stock"))["items"] == []
    for method, path in (("GET", job["url"]), ("GET", job["result_url"]), ("DELETE", job["url"])):
        answer = await other.call(method, relative(path))
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
    key = await admin.post("/auth/api-keys", {"name": "till"})
    by_key = await http.get(f"{job['url']}", headers={"X-API-Key": key["key"]})
    assert by_key.status_code == 404
    assert (await admin.call("DELETE", relative(job["url"]))).status_code == 204
    assert (await admin.call("GET", relative(job["result_url"]))).status_code == 404


async def test_export_of_a_user_has_the_jobs_of_all_services(admin: User) -> None:
    for path in ("/reports/turnover", "/products/export?search=Lamp"):
        await finished(admin, await request_job(admin, path))
    export = await admin.get(f"/users/{admin.tokens['user']['id']}/personal-data")
    paths = [job["path"] for job in export["sections"]["jobs"]]
    assert sorted(paths) == ["/api/v1/products/export", "/api/v1/reports/turnover"]


async def test_invalid_and_forbidden_requests_make_no_job(admin: User, salesperson: User) -> None:
    invalid = await admin.call("GET", "/reports/sales?group_by=moon", headers=PREFER)
    assert (invalid.status_code, invalid.json()["code"]) == (422, "validation_error")
    unknown = await admin.call("GET", "/reports/sales?colour=red", headers=PREFER)
    assert unknown.status_code == 422
    assert (await salesperson.call("GET", "/reports/profit", headers=PREFER)).status_code == 403
    assert (await admin.get("/jobs/stock"))["total"] == 0
    plain = await admin.call("GET", "/reports/sales", headers={"Prefer": "return=minimal"})
    assert plain.status_code == 200


async def test_failed_job_has_the_problem_of_the_synchronous_call(http: httpx.AsyncClient, admin: User) -> None:
    clerk = await user_with(http, admin, "clara", ["export.run", "catalog.read"])
    path = "/products/export?include_deleted=true"
    synchronous = await clerk.call("GET", path)
    job = await finished(clerk, await request_job(clerk, path))
    assert (job["state"], job["result_url"]) == ("failed", None)
    problem = synchronous.json()
    assert job["problem"] == {name: problem[name] for name in ("status", "code", "detail")}
    result = await clerk.call("GET", relative(job["url"]) + "/result")
    assert (result.status_code, result.json()["code"]) == (409, "job_failed")


async def test_result_is_refused_after_a_permission_was_revoked(http: httpx.AsyncClient, admin: User) -> None:
    await sell(admin)
    clerk = await user_with(http, admin, "clara", ["report.read"])
    hidden = await finished(clerk, await request_job(clerk, "/reports/sales"))
    assert "profit" not in (await clerk.call("GET", relative(hidden["result_url"]))).text

    changed = await admin.call("PATCH", "/roles/clara", json={"permissions": ["report.read", "cost.read"]})
    assert changed.status_code == 200, changed.text
    clerk = await log_in(http, "clara")
    shown = await finished(clerk, await request_job(clerk, "/reports/sales"))
    assert "profit" in (await clerk.call("GET", relative(shown["result_url"]))).text

    await admin.call("PATCH", "/roles/clara", json={"permissions": ["report.read"]})
    clerk = await log_in(http, "clara")
    refused = await clerk.call("GET", relative(shown["result_url"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await clerk.call("GET", relative(hidden["result_url"]))).status_code == 200


async def test_open_jobs_of_a_caller_are_limited_and_expired_ones_are_gone(
    admin: User, salesperson: User, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        job = await finished(admin, await request_job(admin, "/reports/sales"))
        # Keep the workers busy: jobs that another replica has leased.
        await connection.execute("UPDATE stock.job SET state = 'running', lease_until = now() + interval '1 hour'")
        for _ in range(MAX_OPEN_JOBS - 1):
            await connection.execute("""
                INSERT INTO stock.job (path, query, credential, user_id, caller, state, lease_until, expires_at)
                SELECT path, query, credential, user_id, caller, state, lease_until, expires_at FROM stock.job LIMIT 1
            """)
        limited = await admin.call("GET", "/reports/sales", headers=PREFER)
        assert (limited.status_code, limited.json()["code"]) == (429, "too_many_jobs")
        assert limited.headers["Retry-After"]
        assert (await salesperson.call("GET", "/jobs/stock")).json()["total"] == 0
        unfinished = await admin.call("GET", relative(job["url"]) + "/result")
        assert (unfinished.status_code, unfinished.json()["code"]) == (409, "job_not_finished")

        await connection.execute("UPDATE stock.job SET expires_at = now()")
        assert (await admin.call("GET", relative(job["url"]))).status_code == 404
        await finished(admin, await request_job(admin, "/reports/sales"))
    finally:
        await connection.close()


async def test_results_are_deleted_when_a_customer_is_erased(admin: User) -> None:
    customer = await admin.post("/customers", {"name": "Zebulon"})
    job = await finished(admin, await request_job(admin, "/reports/sales?group_by=customer"))
    assert job["state"] == "done"
    await admin.post(f"/customers/{customer['id']}/erase")
    await admin.until("/jobs/stock", lambda page: page["total"] == 0)
    assert (await admin.call("GET", relative(job["result_url"]))).status_code == 404
