"""A report on a schedule: its run, the notification, the e-mail, and the result for those who may read it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, register, serving, until_ready
from stockbuddy.chassis.testing.mailbox import Mailbox
from stockbuddy.embedded.system import System

TIMEOUT_SECONDS = 90
PUBLIC_URL = "https://shop.example.com"
READER = ["report.read", "cost.read", "customer.read"]
NAME = "Sales of today"
SCHEDULE: dict[str, Any] = {
    "name": NAME,
    "report": "sales",
    "period": "today",
    "format": "csv",
    "parameters": {"group_by": "product"},
    "recurrence": {"frequency": "monthly", "day_of_month": 31, "time": "07:00"},
}
# What an e-mail depends on at the time of the event.
KNOWN = """
    SELECT count(*) FROM notifications.user_replica u JOIN notifications.role_replica r ON r.name = u.role
    WHERE u.email_confirmed AND u.role IN ('rita', 'clara')
"""


@pytest.fixture
async def mailbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mailbox]:
    async with Mailbox().running() as mailbox:
        monkeypatch.setenv("SMTP_URL", mailbox.url)
        yield mailbox


@pytest.fixture
async def mailing(mailbox: Mailbox, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a system that sends its e-mails to the mailbox."""
    system = System(database_url, env="development", public_url=PUBLIC_URL)
    async with system.running(), serving(system.gateway) as url, httpx.AsyncClient(base_url=url, timeout=180) as client:
        await until_ready(client)
        yield client


async def recipient(http: httpx.AsyncClient, mailbox: Mailbox, admin: User, name: str, permissions: list[str]) -> User:
    """A user with a confirmed address, and a role of these permissions and the user's own name."""
    await admin.post("/roles", {"name": name, "permissions": permissions})
    user = await register(http, name)
    token = await mailbox.until_token_received(f"{name}@example.com")
    confirmed = await http.post("/api/v1/auth/email/confirm", json={"token": token})
    assert confirmed.status_code < 300, confirmed.text
    changed = await admin.call("PATCH", f"/users/{user.tokens['user']['id']}", json={"role": name})
    assert changed.status_code == 200, changed.text
    return await log_in(http, name)


async def until_recipients_are_known(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while await connection.fetchval(KNOWN) != 2:
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def sell(admin: User) -> None:
    made = await admin.post("/products", {"name": "Lamp", "sku": "LAMP", "unit_price": "100", "quantity": 5})
    await admin.until(f"/products/{made['id']}", lambda found: found["quantity_in_stock"] == 5)
    await admin.post("/sales", {"lines": [{"product_id": made["id"], "quantity": 2}]})


async def test_recipient_is_notified_once_per_run_and_downloads_the_result(
    mailing: httpx.AsyncClient, mailbox: Mailbox, database_url: str
) -> None:
    admin = await register(mailing, "ada", path="/auth/admin/register")
    reader = await recipient(mailing, mailbox, admin, "rita", READER)
    clerk = await recipient(mailing, mailbox, admin, "clara", ["report.read"])
    await until_recipients_are_known(database_url)
    await sell(admin)
    recipients = [user.tokens["user"]["id"] for user in (reader, clerk)]
    schedule = await admin.post("/report-schedules", SCHEDULE | {"recipient_ids": recipients})
    path, link = f"/report-schedules/{schedule['id']}", f"{PUBLIC_URL}/report-schedules?schedule={schedule['id']}"
    for run in (1, 2):
        started = await admin.call("POST", f"{path}/run")
        assert (started.status_code, started.json()["next_run_at"]) == (202, schedule["next_run_at"])
        page = await reader.until("/notifications", partial(_has_items, count=run))
        assert [item["title"] for item in page["items"]] == [f"Report: {SCHEDULE['name']}"] * run
        # The e-mail about the second run waits for some minutes.
        (text,) = await mailbox.until_received("rita@example.com", NAME, 1)
        assert link in text.split()
    done = await reader.get(path)
    assert done["last_run"]["state"] == "done"

    result = await reader.call("GET", f"{path}/result")
    assert result.status_code == 200, result.text
    assert result.headers["Content-Type"].startswith("text/csv")
    assert "LAMP" in result.text
    refused = await clerk.call("GET", f"{path}/result")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert mailbox.texts("clara@example.com", NAME) == []
    assert (await clerk.get("/notifications"))["items"] == []


def _has_items(page: Mapping[str, Any], *, count: int) -> bool:
    return len(page["items"]) >= count
