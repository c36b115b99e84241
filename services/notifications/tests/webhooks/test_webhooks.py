"""CRUD of webhooks, for admins."""

import base64
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer

NEW = {"url": "https://example.com/hook", "event_types": ["stock.*"], "description": "till"}


async def create(admin: AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await admin.post("/webhooks", json=NEW | fields)
    assert (response.status_code, response.headers.get("ETag")) == (201, '"1"'), response.text
    webhook: dict[str, Any] = response.json()
    return webhook


async def test_secret_is_returned_by_creation_only(admin: AsyncClient) -> None:
    webhook = await create(admin)
    assert webhook["secret"].startswith("whsec_")
    shown = (await admin.get(f"/webhooks/{webhook['id']}")).json()
    assert shown == {name: value for name, value in webhook.items() if name != "secret"}
    listed = (await admin.get("/webhooks")).json()
    assert listed["items"] == [shown]
    assert listed["total"] == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_update_changes_only_its_fields(admin: AsyncClient, method: str) -> None:
    webhook = await create(admin)
    url = f"/webhooks/{webhook['id']}"
    changed = await admin.request(method, url, json={"event_types": ["*"], "is_active": False})
    assert changed.status_code == 200, changed.text
    assert changed.json()["event_types"] == ["*"]
    assert changed.json()["is_active"] is False
    assert changed.json()["url"] == NEW["url"]
    assert changed.headers["ETag"] == '"2"'
    stale = await admin.request(method, url, json={"is_active": True}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_update_with_equal_values_changes_nothing(admin: AsyncClient) -> None:
    webhook = await create(admin)
    same = await admin.patch(f"/webhooks/{webhook['id']}", json=NEW | {"is_active": True})
    assert (same.headers["ETag"], same.json()["updated_at"]) == ('"1"', webhook["updated_at"])
    await admin.patch(f"/webhooks/{webhook['id']}", json={"description": "other"})
    feed = (await admin.get("/events", params={"types": "notifications.webhook.updated", "wait": 5})).json()
    assert [event["data"]["version"] for event in feed["items"]] == [2]


async def test_list_is_paged_by_number_and_by_cursor(admin: AsyncClient) -> None:
    newest_first = [(await create(admin))["id"] for _ in range(5)][::-1]
    second = (await admin.get("/webhooks", params={"page": 2, "page_size": 2})).json()
    assert ([webhook["id"] for webhook in second["items"]], second["total"]) == (newest_first[2:4], 5)
    seen: list[int] = []
    query: dict[str, Any] = {"page_size": 2}
    while query:
        page = (await admin.get("/webhooks", params=query)).json()
        seen += [webhook["id"] for webhook in page["items"]]
        query = {"page_size": 2, "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert seen == newest_first


async def test_deleted_webhook_is_not_found(admin: AsyncClient) -> None:
    webhook = await create(admin)
    url = f"/webhooks/{webhook['id']}"
    assert (await admin.delete(url)).status_code == 204
    for response in (await admin.get(url), await admin.delete(url), await admin.get(f"{url}/deliveries")):
        assert (response.status_code, response.json()["code"]) == (404, "unknown_webhook")


async def test_changes_publish_events_without_the_url_path(admin: AsyncClient) -> None:
    webhook = await create(admin, url="https://hooks.example.com/services/T0/B0/secret")
    url = f"/webhooks/{webhook['id']}"
    await admin.patch(url, json={"description": "other"})
    await admin.post(f"{url}/rotate-secret")
    await admin.delete(url)
    types: list[str] = []
    after = "0"
    while len(types) < 4:
        feed = (
            await admin.get("/events", params={"types": "notifications.webhook.*", "after": after, "wait": 5})
        ).json()
        assert feed["items"], types
        after = feed["next_cursor"]
        types += [event["type"].rpartition(".")[2] for event in feed["items"]]
        assert all(event["data"]["host"] == "hooks.example.com" for event in feed["items"])
        assert "/T0/" not in str(feed)
    assert types == ["created", "updated", "secret_rotated", "deleted"]


INVALID: list[tuple[str, Any]] = [
    ("url", "ftp://example.com/"),
    ("url", "https://user:pass@example.com/"),
    ("url", "https://"),
    ("url", "https://exa mple.com/"),
    ("url", "javascript:alert(1)"),
    ("url", "https://[::1"),
    ("url", "https://example.com:99999/"),
    ("url", "https://exa%mple.com/"),
    ("url", f"https://{'a' * 64}.com/"),
    ("description", "a\0"),
    ("event_types", []),
    ("event_types", ["stock.*; drop"]),
    ("event_types", "stock.*"),
    ("event_types", ["stock.movment.posted"]),
    ("event_types", ["stock.*", "till.*"]),
    ("event_types", ["notifications.notification.created"]),
    ("colour", "red"),
]


async def test_invalid_webhook_is_rejected(admin: AsyncClient) -> None:
    for field, value in INVALID:
        response = await admin.post("/webhooks", json=NEW | {field: value})
        assert response.status_code == 422, (field, value)
        assert response.json()["errors"][0]["field"].startswith(field)


PRIVATE_HOSTS = [
    "127.0.0.1",
    "localhost",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fec0::1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[ff02::1]",
    "2130706433",
    "127.1",
]


async def test_private_address_is_rejected(admin: AsyncClient) -> None:
    for host in PRIVATE_HOSTS:
        response = await admin.post("/webhooks", json=NEW | {"url": f"http://{host}:8080/"})
        assert (response.status_code, response.json()["code"]) == (422, "address_not_allowed"), host


async def test_update_to_private_address_is_rejected(admin: AsyncClient) -> None:
    webhook = await create(admin)
    response = await admin.patch(f"/webhooks/{webhook['id']}", json={"url": "http://192.168.1.1/"})
    assert response.json()["code"] == "address_not_allowed"


@pytest.mark.parametrize("role", [Role.SALESPERSON, Role.MANAGER])
async def test_webhooks_are_forbidden_for_other_roles(client: AsyncClient, issuer: TestIssuer, role: Role) -> None:
    client.headers.update(issuer.headers(2, role))
    for method, path in [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/1"),
        ("PATCH", "/1"),
        ("DELETE", "/1"),
        ("POST", "/1/test"),
        ("POST", "/1/rotate-secret"),
        ("GET", "/1/deliveries"),
        ("POST", "/1/deliveries/1/redeliver"),
    ]:
        response = await client.request(method, f"/webhooks{path}", json=NEW if method in {"POST", "PATCH"} else None)
        assert response.status_code == 403, (method, path)


async def test_repeated_idempotency_key_creates_one_webhook(admin: AsyncClient) -> None:
    first = await admin.post("/webhooks", json=NEW, headers={"Idempotency-Key": "k"})
    again = await admin.post("/webhooks", json=NEW, headers={"Idempotency-Key": "k"})
    assert again.json() == first.json()
    assert (await admin.get("/webhooks")).json()["total"] == 1


async def test_unknown_event_type_names_the_closest_ones(admin: AsyncClient) -> None:
    response = await admin.post("/webhooks", json=NEW | {"event_types": ["stock.movment.posted"]})
    [error] = response.json()["errors"]
    assert error["message"].startswith(
        "stock.movment.posted matches no event type; the closest types are stock.movement."
    )


async def test_secrets_are_stored_encrypted(admin: AsyncClient, database_url: str) -> None:
    """Also in the stored response to an idempotent request, which repeats it."""
    first = await admin.post("/webhooks", json=NEW, headers={"Idempotency-Key": "k"})
    url = f"/webhooks/{first.json()['id']}/rotate-secret"
    rotated = await admin.post(url, headers={"Idempotency-Key": "r"})
    again = await admin.post(url, headers={"Idempotency-Key": "r"})
    assert again.json() == rotated.json()
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    for table in ("webhook", "webhook_secret", "idempotency_key", "outbox_event", "event_log"):
        stored = str(await connection.fetch(f"SELECT * FROM {table}"))
        for secret in (first.json()["secret"], rotated.json()["secret"]):
            assert secret.removeprefix("whsec_") not in stored, table
    await connection.close()


async def test_secret_of_a_deleted_webhook_is_deleted(admin: AsyncClient, database_url: str) -> None:
    webhook = await create(admin)
    await admin.delete(f"/webhooks/{webhook['id']}")
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM notifications.webhook_secret") == 0
    await connection.close()


async def test_rotations_within_the_overlap_are_limited(admin: AsyncClient) -> None:
    webhook = await create(admin)
    url = f"/webhooks/{webhook['id']}/rotate-secret"
    codes = [(await admin.post(url)).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 409]
    assert (await admin.post(url, json={"overlap_seconds": 0})).status_code == 200


@pytest.mark.parametrize(
    "path", ["/webhooks", "/notifications", "/audit-logs", "/notifications/emails", "/webhooks/1/deliveries"]
)
@pytest.mark.parametrize("cursor", ["[" * 1400, "e30", "W10", "eyJzb3J0IjoiaWRfZGVzYyIsImtleSI6W251bGxdfQ", "\u00e4"])
async def test_unusable_cursor_is_rejected_by_every_list(admin: AsyncClient, path: str, cursor: str) -> None:
    await create(admin)
    encoded = base64.urlsafe_b64encode(cursor.encode()).decode() if cursor.startswith("[") else cursor
    response = await admin.get(path, params={"cursor": encoded})
    assert (response.status_code, response.json()["code"]) == (422, "validation_error")
