"""A webhook whose deliveries have been failing for too long is disabled; its deliveries stay pending."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from httpx2 import AsyncClient


@pytest.fixture
def options() -> dict[str, Any]:
    return {
        "webhook_allow_private": True,
        # Far more retries than fit into the time after which it is disabled.
        "webhook_retry_seconds": ",".join(["0.05"] * 200),
        "webhook_disable_after_seconds": 0.5,
    }


async def test_webhook_that_keeps_failing_is_disabled(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Any, until: Any
) -> None:
    async def fail(_: Any) -> web.StreamResponse:
        return web.Response(status=500)

    receiver.respond = fail
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())

    async def disabled() -> dict[str, Any] | None:
        shown: dict[str, Any] = (await admin.get(f"/webhooks/{webhook['id']}")).json()
        return None if shown["is_active"] else shown

    shown = await until(disabled)
    assert shown["disabled_reason"].startswith("Every delivery has failed since")
    types = "notifications.webhook.disabled,notifications.webhook.failing"

    async def both() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await admin.get("/events", params={"types": types})).json()["items"]
        return items if len(items) == 2 else []

    warning, feed = await until(both)
    assert warning["type"] == "notifications.webhook.failing"
    assert "will be disabled" in warning["data"]["reason"]
    assert feed["subject"] == f"webhook/{webhook['id']}"
    [delivery] = (await admin.get(f"/webhooks/{webhook['id']}/deliveries")).json()["items"]
    assert delivery["state"] == "pending"
    rejected = await admin.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver")
    assert (rejected.status_code, rejected.json()["code"]) == (409, "webhook_inactive")


async def test_quiet_time_between_failures_does_not_count(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Any, until: Any, database_url: str
) -> None:
    """One event failed for good, a quiet week followed, the next event meets a single 503."""
    answers = [503, 200]

    async def respond(_: Any) -> web.StreamResponse:
        return web.Response(status=answers.pop(0))

    receiver.respond = respond
    webhook = await register(receiver, event_types=["stock.movement.*"])
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "UPDATE notifications.webhook SET failing_since = now() - interval '8 days', failing_seconds = 0.2,"
        " failed_attempts = 12, last_failure_at = now() - interval '7 days'"
    )
    await connection.close()
    await service.publish(samples.movement())

    async def delivered() -> list[dict[str, Any]]:
        path = f"/webhooks/{webhook['id']}/deliveries"
        items: list[dict[str, Any]] = (await admin.get(path, params={"state": "delivered"})).json()["items"]
        return items

    await until(delivered)
    shown = (await admin.get(f"/webhooks/{webhook['id']}")).json()
    assert (shown["is_active"], shown["failing_since"]) == (True, None)


async def test_resend_covers_the_gap_of_a_disabled_webhook(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Any, until: Any
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"])
    url = f"/webhooks/{webhook['id']}"
    since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    await service.publish(samples.movement(1))
    await receiver.wait_for(1)
    await admin.patch(url, json={"is_active": False})
    await service.publish(samples.movement(2), samples.level(2), samples.movement(3))
    inactive = await admin.post(f"{url}/resend", json={"since": since})
    assert (inactive.status_code, inactive.json()["code"]) == (409, "webhook_inactive")
    await admin.patch(url, json={"is_active": True})
    resent = await admin.post(f"{url}/resend", json={"since": since})
    assert (resent.status_code, resent.json()) == (202, {"requested": 2, "has_more": False})
    received = await receiver.wait_for(3)
    assert len({request.headers["webhook-id"] for request in received}) == 3

    async def all_delivered() -> bool:
        page = (await admin.get(f"{url}/deliveries", params={"state": "delivered"})).json()
        return bool(page["total"] == 3)

    await until(all_delivered)
    again = await admin.post(f"{url}/resend", json={"since": since})
    assert again.json()["requested"] == 0
