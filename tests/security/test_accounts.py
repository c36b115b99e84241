"""Attacks on accounts: stolen tokens and keys, impersonation, forged internal calls, passwords typed as user names."""

import asyncio
from http.cookies import SimpleCookie
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import PASSWORD, User, register
from stockbuddy.contracts.internal import DENIALS_PATH, LAST_USED_PATH, REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH
from stockbuddy.embedded.system import System

NEW_PASSWORD = "amber-Lantern-58"
TYPED_PASSWORD = "my-secret-Password-71"
SESSION_SECONDS = 30 * 86_400
CYRILLIC_COPE = "\u0441\u043e\u0440\u0435"


def cookies(response: httpx.Response) -> dict[str, Any]:
    jar: SimpleCookie = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        jar.load(header)
    return dict(jar)


async def with_key(http: httpx.AsyncClient, key: str, method: str, path: str, body: Any = None) -> httpx.Response:
    return await http.request(method, f"/api/v1{path}", headers={"X-API-Key": key}, json=body)


async def test_stolen_access_token_cannot_take_over_the_account(http: httpx.AsyncClient, admin: User) -> None:
    victim = await register(http, "victim-of-theft")
    for body in ({"email": "thief@example.com"}, {"email": "thief@example.com", "password": "guess"}):
        refused = await victim.call("PATCH", "/auth/profile", json=body)
        assert refused.status_code in (400, 422)
    started = await victim.call("PATCH", "/auth/profile", json={"email": "own@example.com", "password": PASSWORD})
    assert (started.json()["email"], started.json()["pending_email"]) == (
        "victim-of-theft@example.com",
        "own@example.com",
    )
    forged = await http.post("/api/v1/auth/email/confirm", json={"token": "x" * 43})
    assert (forged.status_code, forged.json()["code"]) == (400, "invalid_confirmation_token")


async def test_api_key_acts_for_itself_and_not_for_its_owner(http: httpx.AsyncClient, admin: User) -> None:
    owner = await register(http, "owner-of-a-till")
    key = (await owner.post("/auth/api-keys", {"name": "till"}))["key"]
    assert (await with_key(http, key, "GET", "/products")).status_code == 200
    for method, path, body in [
        ("GET", "/auth/profile", None),
        ("PATCH", "/auth/profile", {"full_name": "Mallory"}),
        ("GET", "/auth/sessions", None),
        ("GET", "/auth/api-keys", None),
        ("POST", "/auth/api-keys", {"name": "another"}),
        ("POST", "/auth/logout", None),
        ("GET", "/notification-preferences", None),
        ("GET", "/notifications", None),
        ("POST", "/notifications/read-all", None),
    ]:
        response = await with_key(http, key, method, path, body)
        assert (response.status_code, response.json()["code"]) == (403, "interactive_only"), path


async def test_internal_calls_require_the_gateways_signature(http: httpx.AsyncClient, system: System) -> None:
    denial = {"method": "GET", "path": "/x", "code": "forged", "client_ip": "192.0.2.1", "request_id": "forged"}
    calls = [
        ("POST", DENIALS_PATH, {"requests": [denial]}),
        ("POST", LAST_USED_PATH, {"sessions": []}),
        ("POST", TOKEN_EXCHANGE_PATH, {"api_key": "sbk_guess"}),
        ("GET", REVOCATIONS_PATH, None),
    ]
    transport = httpx.ASGITransport(system.services["auth"])
    async with httpx.AsyncClient(transport=transport, base_url="http://auth") as other_pod:
        for method, path, body in calls:
            direct = await other_pod.request(method, path, json=body)
            assert (direct.status_code, direct.json()["code"]) == (401, "unsigned_call")
            assert (await http.request(method, path, json=body)).status_code == 404


@pytest.mark.parametrize("username", ["system", "r00t", "ad\u200dmin", "c\u043epe", "\uff43\uff4f\uff50\uff45"])
async def test_deceptive_username_is_rejected(http: httpx.AsyncClient, admin: User, username: str) -> None:
    body = {"username": username, "email": "deceiver@example.com", "password": PASSWORD}
    assert (await http.post("/api/v1/auth/register", json=body)).status_code == 422


async def test_username_that_looks_like_an_existing_one_is_taken(http: httpx.AsyncClient, admin: User) -> None:
    await register(http, "cope")
    body = {"username": CYRILLIC_COPE, "email": "deceiver@example.com", "password": PASSWORD}
    response = await http.post("/api/v1/auth/register", json=body)
    assert (response.status_code, response.json()["code"]) == (409, "username_taken")


async def test_password_typed_as_username_is_not_stored(http: httpx.AsyncClient, admin: User) -> None:
    for path, body in [
        ("/auth/login", {"username": TYPED_PASSWORD, "password": "x"}),
        ("/auth/password/forgot", {"email": f"{TYPED_PASSWORD}@example.com"}),
    ]:
        assert (await http.post(f"/api/v1{path}", json=body)).status_code in (401, 202)
    types = "auth.user.login_failed,auth.password_reset.requested"

    def is_complete(feed: Any) -> bool:
        return {item["type"] for item in feed["items"]} == set(types.split(","))

    events = await admin.until("/events", is_complete, types=types, limit=100)
    assert "unknown" in {item["data"].get("login") for item in events["items"]}
    audit = await admin.get("/audit-logs", page_size=100)
    assert TYPED_PASSWORD not in f"{events} {audit}"


async def test_use_of_a_browser_session_extends_its_cookies(
    http: httpx.AsyncClient, base_url: str, admin: User, security_database_url: str
) -> None:
    user = await register(http, "daily-user")
    async with httpx.AsyncClient(base_url=f"{base_url}/api/v1", timeout=180) as browser:
        login = await browser.post("/auth/session", json={"username": user.username, "password": PASSWORD})
        old_session = cookies(login)["session"].value
        connection = await asyncpg.connect(security_database_url)
        try:
            await connection.execute(
                "UPDATE auth.login_session SET expires_at = now() + interval '1 day' WHERE cookie_digest IS NOT NULL"
            )
        finally:
            await connection.close()
        renewed = await browser.get("/auth/profile")
        assert {name: int(cookie["max-age"]) for name, cookie in cookies(renewed).items()} == {
            "session": SESSION_SECONDS,
            "csrf_token": SESSION_SECONDS,
        }
        assert not cookies(await browser.get("/auth/profile"))
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
        csrf = {"X-CSRF-Token": login.json()["csrf_token"]}
        changed = await browser.post("/auth/password/change", json=change, headers=csrf)
        assert changed.status_code == 200, changed.text
        assert cookies(changed)["session"].value != old_session
        assert (await browser.get("/auth/profile")).status_code == 200, "with the new cookie"
        async with asyncio.timeout(10):
            headers = {"Cookie": f"session={old_session}"}
            while (await http.get("/api/v1/auth/profile", headers=headers)).status_code != 401:
                await asyncio.sleep(0.05)
