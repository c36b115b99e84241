"""GET /events: every event once, in a stable order, from a cursor."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import LoginFailed, SessionRevoked

Start = Callable[[], Awaitable[Any]]


async def read(client: AsyncClient, **query: Any) -> Mapping[str, Any]:
    response = await client.get("/events", params=query)
    assert response.status_code == 200, response.text
    feed: Mapping[str, Any] = response.json()
    return feed


def strange(event_type: str, body: bytes) -> Message:
    event_id = str(uuid4())
    headers = {"specversion": "1.0", "id": event_id, "type": event_type, "source": "/elsewhere", "subject": "thing/1"}
    return Message(event_id, event_type, headers, body)


async def test_an_event_comes_as_a_cloud_event_with_all_its_attributes(
    admin: AsyncClient, service: Any, samples: Any
) -> None:
    [sent] = await service.say(samples.movement())
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


async def test_a_cursor_pages_through_everything_once_and_in_order(
    admin: AsyncClient, service: Any, samples: Any
) -> None:
    sent = [message.id for message in await service.say(*(samples.movement(number) for number in range(7)))]
    seen: list[str] = []
    after = "0"
    for _ in range(5):
        feed = await read(admin, after=after, limit=3)
        seen += [event["id"] for event in feed["items"]]
        after = feed["next_cursor"]
    assert seen == sent
    [late] = await service.say(samples.movement())
    assert [event["id"] for event in (await read(admin, after=after))["items"]] == [late.id]


async def test_an_event_that_is_delivered_again_is_logged_once(admin: AsyncClient, service: Any, samples: Any) -> None:
    sent = await service.say(samples.movement())
    await service.bus.publish(sent)
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
async def test_types_narrow_the_feed_by_pattern(
    admin: AsyncClient, service: Any, samples: Any, types: str, expected: list[str]
) -> None:
    await service.say(samples.product(), samples.movement(), samples.level())
    feed = await read(admin, types=types)
    assert [event["type"] for event in feed["items"]] == expected
    assert (await read(admin, types=types, after=feed["next_cursor"]))["items"] == []


async def test_a_narrowed_feed_pages_without_loss(admin: AsyncClient, service: Any, samples: Any) -> None:
    for number in range(6):
        await service.say(samples.movement(number), samples.level(number), samples.product(product_id=number))
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


async def test_a_waiting_reader_gets_the_event_as_soon_as_it_is_committed(
    admin: AsyncClient, service: Any, samples: Any
) -> None:
    started = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(read(admin, types="stock.*", wait=20))
    await service.say(samples.product())
    await service.say(samples.movement())
    feed = await waiting
    assert [event["type"] for event in feed["items"]] == ["stock.movement.posted"]
    assert asyncio.get_running_loop().time() - started < 5


async def test_waiting_in_vain_ends_with_a_cursor_to_go_on_from(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.say(samples.product())
    feed = await read(admin, types="stock.*", wait=0.2)
    assert feed == {"items": [], "next_cursor": "1"}


async def test_strangers_events_are_kept_as_they_came(admin: AsyncClient, service: Any) -> None:
    await service.bus.publish(
        [strange("till.drawer.opened", b'{"note": "caf\xc3\xa9", "amount": 1.10, "nul": "a\\u0000b\\\\u0000"}')]
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
async def test_strangers_oddities_are_borne(
    admin: AsyncClient, service: Any, headers: dict[str, str], body: str, kept: Any
) -> None:
    event_id = "0199a1de-0000-7000-8000-000000000002"
    attributes = {"specversion": "1.0", "id": event_id, "type": "till.opened", "source": "/tills/4", **headers}
    await service.bus.publish([Message(event_id, "till.opened", attributes, body.encode())])
    [item] = (await admin.get("/events")).json()["items"]
    assert item["data"] == kept
    assert (await admin.get("/audit-logs/verify")).json()["ok"]
    assert (await admin.get("/audit-logs", params={"search": "till"})).json()["total"] == 1


async def test_what_is_no_json_does_not_stop_the_others(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.bus.publish([strange("till.drawer.opened", b"\xff\xfe"), *await service.say(samples.movement())])
    await service.say(samples.level())
    assert [event["type"] for event in (await read(admin))["items"]] == ["stock.movement.posted", "stock.level.changed"]


async def test_salespeople_see_stock_and_catalogue_and_nothing_of_people(
    client: AsyncClient, service: Any, issuer: TestIssuer, samples: Any
) -> None:
    await service.say(
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


async def test_addresses_of_the_network_are_for_admins(
    client: AsyncClient, service: Any, issuer: TestIssuer, samples: Any
) -> None:
    await service.say(samples.movement())
    for role, shown in [(Role.ADMIN, True), (Role.MANAGER, False), (Role.SALESPERSON, False)]:
        client.headers.update(issuer.headers(9, role))
        [event] = (await read(client))["items"]
        assert ("clientip" in event) is shown


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"after": "-1"}, {"limit": 0}, {"limit": 1001}, {"wait": 31}, {"types": "stock;drop"}]
)
async def test_what_makes_no_sense_is_refused(admin: AsyncClient, query: dict[str, Any]) -> None:
    assert (await admin.get("/events", params=query)).status_code == 422


async def test_events_need_credentials(client: AsyncClient) -> None:
    assert (await client.get("/events")).status_code == 401


async def test_two_replicas_append_at_once_and_a_reader_misses_nothing(
    start: Start, issuer: TestIssuer, samples: Any
) -> None:
    one, other = await start(), await start()
    sent: list[str] = []

    async def produce(replica: Any, first: int) -> None:
        for number in range(first, first + 30):
            sent.extend(message.id for message in await replica.say(*(samples.movement(number) for _ in range(3))))

    seen: list[str] = []
    after = "0"
    async with one.client(**issuer.headers()) as reader:
        producing = asyncio.gather(produce(one, 0), produce(other, 100))
        while len(seen) < 180:
            feed = await read(reader, after=after, limit=50, wait=5)
            assert feed["items"], "the reader waited in vain"
            seen += [event["id"] for event in feed["items"]]
            after = feed["next_cursor"]
        await producing
    assert sorted(seen) == sorted(sent)
    assert after == "180"


async def test_a_reader_hears_of_what_another_replica_appends(start: Start, issuer: TestIssuer, samples: Any) -> None:
    one, other = await start(), await start()
    async with one.client(**issuer.headers()) as reader:
        waiting = asyncio.create_task(read(reader, wait=20))
        await other.say(samples.movement())
        assert len((await waiting)["items"]) == 1
