"""A webhook that has failed for long without a single success is switched off, and its deliveries wait."""

from typing import Any

import pytest
from aiohttp import web
from httpx2 import AsyncClient


@pytest.fixture
def options() -> dict[str, Any]:
    return {
        "webhook_allow_private": True,
        # Far more tries than fit into the time after which it is given up.
        "webhook_retry_seconds": ",".join(["0.05"] * 200),
        "webhook_disable_seconds": 0.5,
    }


async def test_long_failure_disables_and_says_so(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Any, until: Any
) -> None:
    async def refuse(_: Any) -> web.StreamResponse:
        return web.Response(status=500)

    receiver.answer = refuse
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.say(samples.movement())

    async def disabled() -> dict[str, Any] | None:
        shown: dict[str, Any] = (await admin.get(f"/webhooks/{webhook['id']}")).json()
        return None if shown["is_active"] else shown

    shown = await until(disabled)
    assert shown["disabled_reason"].startswith("It has not answered well since")
    feed = (await admin.get("/events", params={"types": "notifications.webhook.disabled", "wait": 10})).json()
    assert feed["items"][0]["subject"] == f"webhook/{webhook['id']}"
    [delivery] = (await admin.get(f"/webhooks/{webhook['id']}/deliveries")).json()["items"]
    assert delivery["state"] == "pending"
    refused = await admin.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_switched_off")
