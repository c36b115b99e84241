"""GET /events: every event once, in a stable order, from a cursor."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import LoginFailed, SessionRevoked

Start = Callable[[], Awaitable[Any]]


async def read(client: AsyncClient, **query: Any) -> Mapping[str, Any]:
    response = await client.get("/events", params=query)
    assert response.status_code == 200, response.text
    feed: Mapping[str, Any] = response.json()
    return feed


def foreign_message(event_type: str, body: bytes) -> Message:
    event_id = str(uuid4())
    headers = {"specversion": "1.0", "id": event_id, "type": event_type, "source": "/elsewhere", "subject": "thing/1"}
    return Message(event_id, event_type, headers, body)


async def test_event_is_returned_as_cloud_event_with_all_attributes(
    admin: AsyncClient, service: Any, samples: Any
) -> None:
    [sent] = await service.publish(samples.movement())
    feed = await read(admin)
    [event] = feed["items"]
    assert event["id"] == sent.id
    assert event["specversion"] == "1.0"
    assert event["source"] == "/services/stock"
    assert event["type"] == "stock.movement.posted"
    assert event["subject"] == "product/42"
    assert event["actorid"] == "7"
    assert event["clientip"] == "203.0.113.9"
    assert event["requestid"] == "req-1"
    assert event["traceparent"] == "00-ab-cd-01"
    assert event["data"] == json.loads(sent.body)
    assert event["data"]["before"] == 10


async def test_cursor_pages_through_all_events_in_order(admin: AsyncClient, service: Any, samples: Any) -> None:
    sent = [message.id for message in await service.publish(*(samples.movement(number) for number in range(7)))]
    seen: list[str] = []
    after = "0"
    for _ in range(5):
        feed = await read(admin, after=after, limit=3)
        seen += [event["id"] for event in feed["items"]]
        after = feed["next_cursor"]
    assert seen == sent
    [late] = await service.publish(samples.movement())
    assert [event["id"] for event in (await read(admin, after=after))["items"]] == [late.id]


async def test_redelivered_event_is_logged_once(admin: AsyncClient, service: Any, samples: Any) -> None:
    sent = await service.publish(samples.movement())
    await service.deliver(sent)
    assert len((await read(admin))["items"]) == 1


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("stock.*", ["stock.movement.posted", "stock.level.changed"]),
        ("*.created", ["catalog.product.created"]),
        ("stock.level.changed,catalog.*", ["catalog.product.created", "stock.level.changed"]),
        ("stock", []),
        ("*", ["catalog.product.created", "stock.movement.posted", "stock.level.changed"]),
    ],
)
async def test_types_filter_events_by_pattern(
    admin: AsyncClient, service: Any, samples: Any, types: str, expected: list[str]
) -> None:
    await service.publish(samples.product(), samples.movement(), samples.level())
    feed = await read(admin, types=types)
    assert [event["type"] for event in feed["items"]] == expected
    assert (await read(admin, types=types, after=feed["next_cursor"]))["items"] == []


async def test_filtered_feed_pages_without_gap(admin: AsyncClient, service: Any, samples: Any) -> None:
    for number in range(6):
        await service.publish(samples.movement(number), samples.level(number), samples.product(product_id=number))
    seen: list[str] = []
    after = "0"
    for _ in range(7):
        feed = await read(admin, types="stock.level.*,catalog.*", after=after, limit=2)
        seen += [f"{event['type']} {event['subject']}" for event in feed["items"]]
        after = feed["next_cursor"]
    assert seen == [
        f"{event_type} product/{number}"
        for number in range(6)
        for event_type in ("stock.level.changed", "catalog.product.created")
    ]


async def test_long_poll_returns_when_a_matching_event_commits(admin: AsyncClient, service: Any, samples: Any) -> None:
    started = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(read(admin, types="stock.*", wait=30))
    await service.publish(samples.product())
    await service.publish(samples.movement())
    feed = await waiting
    assert [event["type"] for event in feed["items"]] == ["stock.movement.posted"]
    assert asyncio.get_running_loop().time() - started < 25


async def test_long_poll_timeout_returns_a_cursor(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.product())
    feed = await read(admin, types="stock.*", wait=0.2)
    assert feed == {"items": [], "next_cursor": "1"}


async def test_event_of_another_producer_is_logged_unchanged(admin: AsyncClient, service: Any) -> None:
    await service.deliver(
        [foreign_message("till.drawer.opened", b'{"note": "caf\xc3\xa9", "amount": 1.10, "nul": "a\\u0000b\\\\u0000"}')]
    )
    [event] = (await read(admin))["items"]
    assert event["type"] == "till.drawer.opened"
    assert event["data"] == {"note": "café", "amount": 1.1, "nul": "a\ufffdb\\u0000"}


@pytest.mark.parametrize(
    ("headers", "body", "kept"),
    [
        ({"time": "0001-01-01T00:00:00+14:00"}, "1", 1),
        ({"time": "9999-12-31T23:59:59-12:00"}, "1", 1),
        ({"actorid": "9" * 30}, "1", 1),
        ({}, '"half \\uD83D of a smile, \\ud83d\\ude00"', "half ? of a smile, \N{GRINNING FACE}"),
    ],
)
async def test_malformed_attributes_of_other_producers_are_accepted(
    admin: AsyncClient, service: Any, headers: dict[str, str], body: str, kept: Any
) -> None:
    event_id = "0199a1de-0000-7000-8000-000000000002"
    attributes = {"specversion": "1.0", "id": event_id, "type": "till.opened", "source": "/tills/4", **headers}
    await service.deliver([Message(event_id, "till.opened", attributes, body.encode())])
    [item] = (await admin.get("/events")).json()["items"]
    assert item["data"] == kept
    assert (await admin.get("/audit-logs/verify")).json()["ok"]
    assert (await admin.get("/audit-logs", params={"search": "till"})).json()["total"] == 1


async def test_message_without_json_does_not_block_others(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.deliver(
        [foreign_message("till.drawer.opened", b"no JSON"), *await service.publish(samples.movement())]
    )
    await service.publish(samples.level())
    assert [event["type"] for event in (await read(admin))["items"]] == ["stock.movement.posted", "stock.level.changed"]


async def test_salesperson_sees_stock_and_catalogue_events_only(
    client: AsyncClient, service: Any, issuer: TestIssuer, samples: Any
) -> None:
    await service.publish(
        LoginFailed(login="bob", reason="wrong_password"),
        samples.product(),
        samples.movement(),
        SessionRevoked(session_id="s1", user_id=7, reason="logout"),
    )
    client.headers.update(issuer.headers(9, Role.SALESPERSON))
    feed = await read(client)
    assert [event["type"] for event in feed["items"]] == ["catalog.product.created", "stock.movement.posted"]
    assert feed["next_cursor"] == "4"
    assert (await read(client, types="auth.*"))["items"] == []


async def test_client_address_is_visible_to_admins_only(
    client: AsyncClient, service: Any, issuer: TestIssuer, samples: Any
) -> None:
    await service.publish(samples.movement())
    for role, shown in [(Role.ADMIN, True), (Role.MANAGER, False), (Role.SALESPERSON, False)]:
        client.headers.update(issuer.headers(9, role))
        [event] = (await read(client))["items"]
        assert ("clientip" in event) is shown


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"after": "-1"}, {"limit": 0}, {"limit": 1001}, {"wait": 31}, {"types": "stock;drop"}]
)
async def test_invalid_query_is_rejected(admin: AsyncClient, query: dict[str, Any]) -> None:
    assert (await admin.get("/events", params=query)).status_code == 422


async def test_feed_without_credentials_is_rejected(client: AsyncClient) -> None:
    assert (await client.get("/events")).status_code == 401


async def test_reader_misses_no_event_of_concurrent_appends(start: Start, issuer: TestIssuer, samples: Any) -> None:
    one, other = await start(), await start()
    sent: list[str] = []

    async def produce(replica: Any, first: int) -> None:
        for number in range(first, first + 30):
            sent.extend(message.id for message in await replica.publish(*(samples.movement(number) for _ in range(3))))

    seen: list[str] = []
    after = "0"
    async with one.client(**issuer.headers()) as reader:
        producing = asyncio.gather(produce(one, 0), produce(other, 100))
        while len(seen) < 180:
            feed = await read(reader, after=after, limit=50, wait=5)
            assert feed["items"], "no event arrived within the wait"
            seen += [event["id"] for event in feed["items"]]
            after = feed["next_cursor"]
        await producing
    assert sorted(seen) == sorted(sent)
    assert after == "180"


async def test_long_poll_returns_events_appended_by_another_replica(
    start: Start, issuer: TestIssuer, samples: Any
) -> None:
    one, other = await start(), await start()
    async with one.client(**issuer.headers()) as reader:
        waiting = asyncio.create_task(read(reader, wait=20))
        await other.publish(samples.movement())
        assert len((await waiting)["items"]) == 1


async def test_read_with_consistency_token_waits_for_the_write(
    admin: AsyncClient, service: Any, samples: Any, message_of: Any
) -> None:
    """The events of the token arrive while the read waits."""
    first, second = message_of(samples.movement(1)), message_of(samples.movement(2))
    token = {"X-Consistency": f"{first.id},stock@16B374D848,{second.id}"}
    await service.deliver([first])
    for path in ("/events", "/audit-logs"):
        reading = asyncio.create_task(admin.get(path, headers=token))
        if path == "/events":
            await asyncio.wait([reading], timeout=0.1)
            assert not reading.done()
            await service.deliver([second])
        response = await reading
        assert (response.status_code, len(response.json()["items"])) == (200, 2)


async def test_own_write_is_in_the_log_read_with_its_token(admin: AsyncClient) -> None:
    for number in range(3):
        announcement = {"title": f"Stocktaking {number}", "body": "On Sunday."}
        written = await admin.post("/notifications", json=announcement)
        assert written.status_code == 201, written.text
        assert written.headers["Location"].endswith(f"/notifications/{written.json()['id']}")
        feed = await admin.get("/events", headers={"X-Consistency": written.headers["X-Consistency"]})
        titles = [event["data"].get("title") for event in feed.json()["items"]]
        assert f"Stocktaking {number}" in titles


async def test_read_of_a_write_that_does_not_arrive_is_retryable(admin: AsyncClient, client: AsyncClient) -> None:
    refused = await admin.get("/events", headers={"X-Consistency": str(uuid4())})
    assert (refused.status_code, refused.json()["code"]) == (503, "write_not_visible")
    assert refused.headers["Retry-After"] == "1"
    of_replicas = await admin.get("/events", headers={"X-Consistency": "stock@16B374D848,catalog@0"})
    assert of_replicas.status_code == 200, "positions name no events"
    malformed = await admin.get("/events", headers={"X-Consistency": "yesterday"})
    assert (malformed.status_code, malformed.json()["errors"][0]["field"]) == (422, "X-Consistency")
    assert (await admin.get("/events", headers={"X-Consistency": ""})).status_code == 200
    assert (await client.get("/events", headers={"X-Consistency": str(uuid4())})).status_code == 401
