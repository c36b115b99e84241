"""Deliveries: content, signature, retries, failures and redelivery."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from httpx2 import AsyncClient
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from stockbuddy.chassis.testing.tokens import TestIssuer

Register = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def options() -> dict[str, Any]:
    return {
        "webhook_allow_private": True,
        "webhook_retry_seconds": "0.05,0.05,0.05",
        "webhook_timeout_seconds": 1,
    }


PATIENT = {"webhook_allow_private": True, "webhook_timeout_seconds": 600}
"""No attempt ends while its receiver hangs."""


def respond(*codes: int, headers: dict[str, str] | None = None, text: str = "") -> Any:
    """Responds with each code in turn, then always with the last one."""
    left = list(codes)

    async def response(_: Any) -> web.StreamResponse:
        code = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=code, headers=headers, text=text)

    return response


async def deliveries(admin: AsyncClient, webhook: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    response = await admin.get(f"/webhooks/{webhook['id']}/deliveries", params=query)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_delivery_is_signed_as_standard_webhook(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"])
    [sent] = await service.publish(samples.movement())
    [received] = await receiver.wait_for(1)
    body = Verifier(webhook["secret"]).verify(received.body, dict(received.headers))
    assert body["id"] == sent.id == received.headers["webhook-id"]
    assert body["type"] == "stock.movement.posted"
    assert body["subject"] == "product/42"
    assert body["data"] == json.loads(sent.body)
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    assert received.headers["Content-Type"] == "application/json"
    assert received.path == "/hook"


async def test_only_matching_later_events_are_delivered(
    service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    await service.publish(samples.movement(1))
    await register(receiver, event_types=["stock.level.*", "catalog.product.created"])
    await service.publish(samples.movement(2), samples.level(3), samples.product(product_id=4))
    received = await receiver.wait_for(2)
    assert sorted(json.loads(r.body)["subject"] for r in received) == ["product/3", "product/4"]


async def test_delivery_log_contains_status_duration_and_first_kilobyte(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(200, text="x" * 5000)
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    [delivery] = await until(lambda: deliveries(admin, webhook, state="delivered"))
    assert delivery["status_code"] == 200
    assert delivery["duration_ms"] >= 0
    assert delivery["answer"] == "x" * 1024
    assert delivery["attempts"] == len(delivery["log"]) == 1
    assert delivery["next_attempt_at"] is None
    assert delivery["finished_at"] is not None
    one = await admin.get(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}")
    assert one.json() == delivery


async def test_failed_delivery_is_retried_with_the_same_id_until_success(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(500, 503, 200)
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    received = await receiver.wait_for(3)
    assert len({r.headers["webhook-id"] for r in received}) == 1
    [delivery] = await until(lambda: deliveries(admin, webhook, state="delivered"))
    assert [line["status_code"] for line in delivery["log"]] == [500, 503, 200]
    assert (await admin.get(f"/webhooks/{webhook['id']}")).json()["failing_since"] is None


async def test_delivery_fails_after_the_last_retry(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(500)
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    [delivery] = await until(lambda: deliveries(admin, webhook, state="failed"))
    assert delivery["attempts"] == 4
    assert (await admin.get(f"/webhooks/{webhook['id']}")).json()["failing_since"] is not None


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_header_delays_the_retry(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any, form: str
) -> None:
    retry_after = (
        "100" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    )
    receiver.respond = respond(503, headers={"Retry-After": retry_after})
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())

    async def rested() -> list[dict[str, Any]]:
        return [d for d in await deliveries(admin, webhook, state="pending") if d["log"]]

    [delivery] = await until(rested)
    pause = datetime.fromisoformat(delivery["next_attempt_at"]) - datetime.now(UTC)
    assert timedelta(seconds=80) < pause < timedelta(seconds=101)


async def test_redirect_is_not_followed(
    admin: AsyncClient, service: Any, samples: Any, start_receiver: Any, register: Register, until: Any
) -> None:
    receiver, elsewhere = await start_receiver(), await start_receiver()
    receiver.respond = respond(307, headers={"Location": elsewhere.url})
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    [delivery] = await until(lambda: deliveries(admin, webhook, state="failed"))
    assert delivery["status_code"] == 307
    assert elsewhere.received == []


async def test_gone_response_disables_the_webhook_and_notifies_admins(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(410)
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    await until(lambda: deliveries(admin, webhook, state="failed"))
    shown = (await admin.get(f"/webhooks/{webhook['id']}")).json()
    assert shown["is_active"] is False
    assert "410" in shown["disabled_reason"]
    feed = (await admin.get("/events", params={"types": "notifications.webhook.disabled", "wait": 10})).json()
    assert feed["items"][0]["data"]["reason"] == shown["disabled_reason"]

    async def notified() -> Any:
        return (await admin.get("/notifications", params={"kind": "webhook_disabled"})).json()["items"]

    [notification] = await until(notified)
    assert notification["subject"] == f"webhook/{webhook['id']}"
    await service.publish(samples.movement())
    assert len(await deliveries(admin, webhook)) == 1


async def test_activated_webhook_receives_later_events_only(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"], is_active=False)
    await service.publish(samples.movement(1))
    switched = await admin.patch(f"/webhooks/{webhook['id']}", json={"is_active": True})
    assert switched.json()["is_active"] is True
    await service.publish(samples.movement(2))
    [received] = await receiver.wait_for(1)
    assert json.loads(received.body)["subject"] == "product/2"


@pytest.mark.parametrize("options", [PATIENT], ids=["patient"])
async def test_slow_receiver_does_not_delay_another(
    admin: AsyncClient, service: Any, samples: Any, start_receiver: Any, register: Register
) -> None:
    slow, quick = await start_receiver(), await start_receiver()
    release = asyncio.Event()

    async def hang(_: Any) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    slow.respond = hang
    await register(slow, event_types=["stock.movement.*"])
    await register(quick, event_types=["stock.movement.*"])
    await service.publish(*(samples.movement(number) for number in range(100)))
    await slow.wait_for(1)
    await quick.wait_for(100)
    assert len(slow.received) <= 8
    release.set()


async def test_timeout_is_logged_as_error(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    release = asyncio.Event()

    async def hang(_: Any) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    receiver.respond = hang
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())

    async def tried() -> list[dict[str, Any]]:
        return [d for d in await deliveries(admin, webhook) if d["log"]]

    [delivery] = await until(tried)
    assert (delivery["status_code"], delivery["error"]) == (None, "no response within the timeout")
    release.set()


async def test_refused_connection_is_logged_as_error(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, until: Any
) -> None:
    response = await admin.post("/webhooks", json={"url": "http://127.0.0.1:9/", "event_types": ["stock.movement.*"]})
    await service.publish(samples.movement())
    [delivery] = await until(lambda: deliveries(admin, response.json(), state="failed"))
    assert delivery["error"].startswith("no connection")


async def test_redelivery_of_a_failed_delivery_is_attempted_again(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(500, 500, 500, 500, 200)
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    [failed] = await until(lambda: deliveries(admin, webhook, state="failed"))
    again = await admin.post(f"/webhooks/{webhook['id']}/deliveries/{failed['id']}/redeliver")
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    [delivered] = await until(lambda: deliveries(admin, webhook, state="delivered"))
    assert delivered["id"] == failed["id"]
    assert delivered["attempts"] == 5
    assert len({r.headers["webhook-id"] for r in receiver.received}) == 1


async def test_test_event_is_sent_to_its_inactive_webhook_only(
    admin: AsyncClient, service: Any, start_receiver: Any, register: Register, until: Any
) -> None:
    receiver, other = await start_receiver(), await start_receiver()
    webhook = await register(receiver, event_types=["stock.*"], is_active=False)
    await register(other, event_types=["*"])
    asked = await admin.post(f"/webhooks/{webhook['id']}/test")
    assert asked.status_code == 202
    [received] = await receiver.wait_for(1)
    body = Verifier(webhook["secret"]).verify(received.body, dict(received.headers))
    assert body["type"] == "notifications.webhook.test"
    assert body["id"] == asked.json()["event_id"]
    await until(lambda: deliveries(admin, webhook, state="delivered"))
    assert "notifications.webhook.test" not in [json.loads(r.body)["type"] for r in other.received]


async def test_both_secrets_sign_during_rotation_overlap(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"])
    rotated = await admin.post(f"/webhooks/{webhook['id']}/rotate-secret")
    assert rotated.status_code == 200
    assert rotated.json()["secret"] != webhook["secret"]
    await service.publish(samples.movement())
    [received] = await receiver.wait_for(1)
    for secret in (webhook["secret"], rotated.json()["secret"]):
        Verifier(secret).verify(received.body, dict(received.headers))


async def test_previous_secret_does_not_sign_without_overlap(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"])
    rotated = await admin.post(f"/webhooks/{webhook['id']}/rotate-secret", json={"overlap_seconds": 0})
    assert rotated.json()["previous_secret_until"] is None
    await service.publish(samples.movement())
    [received] = await receiver.wait_for(1)
    Verifier(rotated.json()["secret"]).verify(received.body, dict(received.headers))
    assert len(received.headers["webhook-signature"].split()) == 1


async def test_two_replicas_send_each_delivery_once(
    start: Any,
    issuer: TestIssuer,
    samples: Any,
    receiver: Any,
    register: Register,
    service: Any,
    admin: AsyncClient,
    until: Any,
) -> None:
    other = await start()
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await asyncio.gather(
        *(replica.publish(*(samples.movement(number) for number in range(40))) for replica in (service, other))
    )
    await receiver.wait_for(80)

    async def all_done() -> bool:
        response = await admin.get(f"/webhooks/{webhook['id']}/deliveries", params={"state": "delivered"})
        return bool(response.json()["total"] == 80)

    await until(all_done)
    ids = [r.headers["webhook-id"] for r in receiver.received]
    assert len(ids) == len(set(ids)) == 80


UNUSABLE_RETRY_AFTER = [
    "Mon, 01 Jan 99999999999 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "9" * 400,
    "Mon, 99 Foo 2026 00:00:00 GMT",
    "-1",
    "1e400",
    "soon",
    "\u0663",
]


async def test_unusable_retry_after_is_ignored(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    headers = iter(UNUSABLE_RETRY_AFTER)

    async def response(_: Any) -> web.StreamResponse:
        if (header := next(headers, None)) is None:
            return web.Response()
        return web.Response(status=503, headers={"Retry-After": header})

    receiver.respond = response
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(*(samples.movement(number) for number in range(10)))

    async def delivered() -> bool:
        return len(await deliveries(admin, webhook, state="delivered")) == 10

    await until(delivered)
    assert len(receiver.received) == 10 + len(UNUSABLE_RETRY_AFTER)


async def test_long_retry_after_is_limited_to_a_day(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(503, headers={"Retry-After": str(3 * 86_400)})
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    [delivery] = await until(lambda: attempted(admin, webhook))
    pause = datetime.fromisoformat(delivery["next_attempt_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < pause <= timedelta(days=1)


async def attempted(admin: AsyncClient, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    return [delivery for delivery in await deliveries(admin, webhook) if delivery["log"]]


@pytest.mark.parametrize("options", [PATIENT], ids=["patient"])
async def test_result_is_recorded_while_other_attempts_are_in_flight(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    release = asyncio.Event()

    async def hang_for_the_first(received: Any) -> web.StreamResponse:
        if json.loads(received.body)["subject"] == "product/1":
            await release.wait()
        return web.Response()

    receiver.respond = hang_for_the_first
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(*(samples.movement(number) for number in (1, 2, 3)))

    async def two_delivered() -> bool:
        return len(await deliveries(admin, webhook, state="delivered")) == 2

    await until(two_delivered)
    release.set()


async def test_url_is_requested_byte_for_byte(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    target = "/a%2Fb/%41%7Ex/(x)/../%e4?sig=a%2Fb%3D%3d&q=a+b%20c&&x=;"
    receiver.url = receiver.url.removesuffix("/hook") + target
    await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement())
    [received] = await receiver.wait_for(1)
    assert received.target == target


async def test_every_secret_signs_within_its_time(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"])
    url = f"/webhooks/{webhook['id']}/rotate-secret"
    second = (await admin.post(url)).json()["secret"]
    third = (await admin.post(url)).json()["secret"]
    fourth = (await admin.post(url, json={"overlap_seconds": 0})).json()["secret"]
    await service.publish(samples.movement())
    [received] = await receiver.wait_for(1)
    for secret in (webhook["secret"], second, fourth):
        Verifier(secret).verify(received.body, dict(received.headers))
    with pytest.raises(WebhookVerificationError):
        Verifier(third).verify(received.body, dict(received.headers))


async def test_delivery_that_failed_for_good_notifies_admins_once_a_day(
    admin: AsyncClient, issuer: TestIssuer, service: Any, samples: Any, receiver: Any, register: Register, until: Any
) -> None:
    receiver.respond = respond(400)
    webhook = await register(receiver, event_types=["stock.movement.*"])
    await service.publish(samples.movement(1), samples.movement(2))

    async def failed() -> bool:
        return len(await deliveries(admin, webhook, state="failed")) == 2

    await until(failed)

    async def notified() -> Any:
        return (await admin.get("/notifications", params={"kind": "webhook_failing"})).json()["items"]

    [notification] = await until(notified)
    assert notification["subject"] == f"webhook/{webhook['id']}"
    assert "status 400" in notification["body"]
    feed = (await admin.get("/events", params={"types": "notifications.webhook.failing"})).json()
    assert len(feed["items"]) == 1


async def test_secrets_of_an_earlier_release_are_encrypted_at_the_start(
    start: Any, database_url: str, samples: Any, receiver: Any, register: Register, service: Any
) -> None:
    await register(receiver, event_types=["stock.movement.*"])
    current, previous = f"whsec_{'b' * 32}", f"whsec_{'c' * 32}"
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    await connection.execute("DELETE FROM webhook_secret")
    await connection.execute(
        "UPDATE webhook SET secret = $1, previous_secret = $2, previous_secret_until = now() + interval '1 hour'",
        current,
        previous,
    )
    await start()
    assert await connection.fetchval("SELECT count(*) FROM webhook WHERE secret IS NULL") == 1
    await connection.close()
    await service.publish(samples.movement())
    [received] = await receiver.wait_for(1)
    for secret in (current, previous):
        Verifier(secret).verify(received.body, dict(received.headers))


async def test_secret_of_another_key_is_reported_in_the_delivery(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, register: Register, until: Any, database_url: str
) -> None:
    webhook = await register(receiver, event_types=["stock.movement.*"])
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE notifications.webhook_secret SET encrypted_secret = 'x'")
    await connection.close()
    await service.publish(samples.movement())
    [delivery] = await until(lambda: deliveries(admin, webhook, state="failed"))
    assert delivery["error"].startswith("the secret cannot be decrypted")
    assert receiver.received == []
