"""A webhook without a success for too long is disabled; its deliveries stay pending."""

from typing import Any

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
    feed = (await admin.get("/events", params={"types": "notifications.webhook.disabled", "wait": 10})).json()
    assert feed["items"][0]["subject"] == f"webhook/{webhook['id']}"
    [delivery] = (await admin.get(f"/webhooks/{webhook['id']}/deliveries")).json()["items"]
    assert delivery["state"] == "pending"
    rejected = await admin.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver")
    assert (rejected.status_code, rejected.json()["code"]) == (409, "webhook_inactive")
