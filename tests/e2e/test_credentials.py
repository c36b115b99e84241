"""API keys and cookie sessions at the gateway, also after a change of permissions."""

import asyncio
import base64
from typing import Any

import httpx2 as httpx

from stockbuddy.chassis.testing.clients import User


async def status_of(http: httpx.AsyncClient, key: dict[str, Any], path: str) -> int:
    return (await http.get(f"/api/v1{path}", headers={"X-API-Key": key["key"]})).status_code


async def test_api_key_is_accepted_as_oauth2_client_credentials(http: httpx.AsyncClient, admin: User) -> None:
    key = await admin.post("/auth/api-keys", {"name": "till 1", "role": "salesperson"})
    basic = base64.b64encode(f"{key['id']}:{key['key']}".encode()).decode()
    for options in (
        {"headers": {"Authorization": f"Basic {basic}"}, "data": {"grant_type": "client_credentials"}},
        {"data": {"grant_type": "client_credentials", "client_id": key["id"], "client_secret": key["key"]}},
    ):
        response = await http.post("/api/v1/auth/token", **options)
        assert response.status_code == 200, response.text
        bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
        assert (await http.get("/api/v1/products", headers=bearer)).status_code == 200


async def test_deleted_api_key_is_rejected_at_the_gateway(http: httpx.AsyncClient, admin: User) -> None:
    key = await admin.post("/auth/api-keys", {"name": "till 1"})
    assert await status_of(http, key, "/products") == 200
    assert (await admin.call("DELETE", f"/auth/api-keys/{key['id']}")).status_code < 300
    async with asyncio.timeout(60):
        while await status_of(http, key, "/products") != 401:
            await asyncio.sleep(0.05)


async def test_cookie_session_has_the_new_role_after_a_role_change(
    http: httpx.AsyncClient, admin: User, salesperson: User
) -> None:
    credentials = {"username": salesperson.username, "password": "correct-Horse-7-staple"}
    session = await http.post("/api/v1/auth/session", json=credentials)
    assert session.status_code == 201, session.text  # the client stores the cookie
    assert (await http.get("/api/v1/expenses")).status_code == 403
    me = salesperson.tokens["user"]["id"]
    assert (await admin.call("PATCH", f"/users/{me}", json={"role": "manager"})).status_code == 200
    async with asyncio.timeout(60):
        while (status := (await http.get("/api/v1/expenses")).status_code) != 200:
            assert status == 403, "the session must stay valid"
            await asyncio.sleep(0.05)


async def test_request_without_csrf_token_is_audited(http: httpx.AsyncClient, admin: User, salesperson: User) -> None:
    credentials = {"username": salesperson.username, "password": "correct-Horse-7-staple"}
    assert (await http.post("/api/v1/auth/session", json=credentials)).status_code == 201
    forged = await http.post("/api/v1/products", json={"name": "Bait", "sku": "B-1", "unit_price": "1"})
    assert (forged.status_code, forged.json()["code"]) == (403, "csrf_failed")
    async with asyncio.timeout(60):
        while not (items := (await admin.get("/audit-logs", type="auth.access.denied"))["items"]):
            await asyncio.sleep(0.05)
    (entry,) = items
    assert (entry["actor"], entry["subject"]) == (salesperson.username, "service/gateway")
    assert entry["request_id"] == forged.headers["X-Request-ID"]
