"""Attacks on the event feed, the streams, webhooks and personal resources, through the gateway."""

import asyncio
import time
from typing import Any

import aiohttp
import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, register

ATTACK = "*" * 99 + "x"


@pytest.fixture(scope="module")
async def salesperson(http: httpx.AsyncClient, admin: User) -> User:
    return await register(http, "stream-seller")


@pytest.fixture(scope="module")
async def manager(http: httpx.AsyncClient, admin: User) -> User:
    user = await register(http, "stream-manager")
    changed = await admin.call("PATCH", f"/users/{user.tokens['user']['id']}", json={"role": "manager"})
    assert changed.status_code == 200
    return await log_in(http, "stream-manager")


@pytest.fixture(scope="module")
async def till(manager: User) -> dict[str, str]:
    """The API key of a till, made by the manager."""
    created = await manager.post("/auth/api-keys", {"name": "till", "role": "manager"})
    return {"X-API-Key": created["key"]}


async def test_pattern_attack_is_rejected_at_once(salesperson: User) -> None:
    for path in (f"/stream?types={ATTACK}", f"/events?types={ATTACK}", f"/events?types={'*a' * 40}"):
        started = time.perf_counter()
        response = await salesperson.call("GET", path)
        assert (response.status_code, response.json()["code"]) == (422, "validation_error")
        assert time.perf_counter() - started < 30


async def test_manager_reads_no_events_of_accounts(admin: User, manager: User, salesperson: User) -> None:
    await admin.until("/events", lambda page: page["items"], types="auth.user.registered")
    for user in (manager, salesperson):
        for types in ("auth.*", "*", "auth.user.registered,auth.*", "*.*", "notifications.webhook.*"):
            page = await user.get("/events", types=types, limit=1000)
            assert not [e for e in page["items"] if e["type"].startswith(("auth.", "notifications.webhook."))]


async def test_stream_of_a_manager_has_no_events_of_accounts(
    manager: User, http: httpx.AsyncClient, base_url: str, admin: User
) -> None:
    headers = {"Authorization": f"Bearer {manager.tokens['access_token']}"}
    url = f"{base_url}/api/v1/stream?types=*&after=0"
    seen: list[bytes] = []
    async with aiohttp.ClientSession(headers=headers) as client, client.get(url) as stream, asyncio.timeout(15):
        await register(http, "registered-during-the-stream")
        await admin.post("/categories", {"name": "Streamed"})
        while not seen or seen[-1] != b"event: catalog.category.created\n":
            line = await stream.content.readline()
            seen += [line] if line.startswith(b"event: ") else []
    assert not [line for line in seen if line.startswith(b"event: auth.")]


async def test_api_key_does_not_act_for_its_owner(http: httpx.AsyncClient, till: dict[str, str], admin: User) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/notifications", None),
        ("POST", "/notifications/read-all", None),
        ("GET", "/notification-preferences", None),
        ("PUT", "/notification-preferences", {"low_stock": {"in_app": False}}),
    ]
    for method, path, body in calls:
        response = await http.request(method, f"/api/v1{path}", json=body, headers=till)
        assert (response.status_code, response.json()["code"]) == (403, "interactive_only"), path
    feed = await http.get("/api/v1/events", params={"types": "notifications.*,auth.*"}, headers=till)
    assert feed.json()["items"] == []


async def test_special_addresses_are_no_webhook_receivers(admin: User) -> None:
    for host in ("192.0.0.192", "198.18.0.1", "[2002:c000:c0::1]", "[64:ff9b::a9fe:a9fe]", "[3fff::1]", "0x7f.1"):
        response = await admin.call("POST", "/webhooks", json={"url": f"http://{host}/latest/meta-data"})
        assert (response.status_code, response.json()["code"]) == (422, "address_not_allowed"), host


async def test_open_streams_of_one_caller_are_limited(salesperson: User, base_url: str) -> None:
    headers = {"Authorization": f"Bearer {salesperson.tokens['access_token']}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as client:
        responses = await asyncio.gather(*(client.get(f"{base_url}/api/v1/stream") for _ in range(40)))
        codes = [response.status for response in responses]
        for response in responses:
            response.close()
    assert set(codes) == {200, 429}
    assert codes.count(200) <= 20


async def test_repeated_refusals_are_one_audit_entry(admin: User, salesperson: User) -> None:
    for number in range(30):
        assert (await salesperson.call("GET", f"/webhooks/{number + 1}")).status_code == 403
    assert (await salesperson.call("GET", "/imports")).status_code == 403
    user_id = salesperson.tokens["user"]["id"]
    page = await admin.until(
        "/audit-logs",
        lambda page: any("/imports" in str(entry["changes"]["path"]) for entry in page["items"]),
        type="auth.access.denied",
        actor_id=user_id,
    )
    assert len([entry for entry in page["items"] if "/webhooks" in str(entry["changes"]["path"])]) == 1


@pytest.mark.parametrize("path", ["/webhooks", "/notifications", "/notifications/emails", "/audit-logs", "/events"])
async def test_unusable_cursor_is_rejected(admin: User, path: str) -> None:
    name = "after" if path == "/events" else "cursor"
    for cursor in ("W1tbW1tb" * 170, "eyJzb3J0IjoiaWRfZGVzYyIsImtleSI6WzEuNV19", "-1", "null"):
        response = await admin.call("GET", path, params={name: cursor})
        assert response.status_code == 422, cursor
    assert (await admin.call("GET", path, params={name: ""})).status_code == 200


async def test_cursor_beyond_the_head_is_rejected(admin: User) -> None:
    response = await admin.call("GET", "/events", params={"after": "999999999"})
    assert (response.status_code, response.json()["code"]) == (409, "cursor_ahead")
    assert response.json()["head"].isdecimal()
