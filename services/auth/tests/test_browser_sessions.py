"""Browser sessions, and the list of one's own sessions."""

import json
import uuid
from http.cookies import SimpleCookie
from typing import Any

import asyncpg
import pytest

from stockbuddy.contracts.internal import REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH

PASSWORD = "violet-Harbour-71"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


def cookies(response: Any) -> SimpleCookie:
    jar = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        jar.load(header)
    return jar


@pytest.mark.parametrize(("env", "prefix"), [("development", ""), ("production", "__Host-")])
async def test_session_cookie_is_exchanged_for_access_token(another_auth: Any, env: str, prefix: str) -> None:
    async with another_auth(env="development") as open_for_registration:
        user = await open_for_registration.register()
    async with another_auth(env=env) as auth:
        response = await auth.post("/auth/session", {"username": user["username"], "password": PASSWORD})
        assert response.status_code == 201
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["user"] == user
        set_cookies = cookies(response)
        session, csrf = set_cookies[prefix + "session"], set_cookies[prefix + "csrf_token"]
        assert response.json()["csrf_cookie"] == prefix + "csrf_token"
        for cookie in (session, csrf):
            assert (cookie["samesite"], cookie["path"]) == ("lax", "/")
            assert bool(cookie["secure"]) is (env == "production")
        assert session["httponly"]
        assert not csrf["httponly"]
        assert csrf.value == response.json()["csrf_token"]
        assert session.value not in response.text
        exchanged = (await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": session.value})).json()
        assert exchanged["csrf_token"] == csrf.value
        assert 0 < exchanged["expires_in"] <= 60
        assert (await auth.get("/auth/profile", token=exchanged["access_token"])).json().items() >= user.items()
        left = await auth.call("DELETE", "/auth/session", token=exchanged["access_token"])
        assert left.status_code == 204
        assert {cookie.value for cookie in cookies(left).values()} == {""}
        gone = await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": session.value})
        assert (gone.status_code, gone.json()["code"]) == (401, "invalid_session")
        revoked = (await auth.get(REVOCATIONS_PATH)).json()["session_ids"]
        assert revoked == [auth.claims(exchanged)["sid"]]


@pytest.mark.parametrize(
    ("forwarded", "name", "path", "secure"),
    [
        ({}, "session", "/", False),
        ({"X-Forwarded-Proto": "https"}, "__Host-session", "/", True),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/shop"}, "__Secure-session", "/shop", True),
        ({"X-Forwarded-Prefix": "/shop"}, "session", "/shop", False),
    ],
)
async def test_cookie_names_depend_on_https_and_path_prefix(
    auth: Any, forwarded: dict[str, str], name: str, path: str, secure: bool
) -> None:
    user = await auth.register()
    body = {"username": user["username"], "password": PASSWORD}
    response = await auth.call("POST", "/auth/session", json=body, headers=forwarded)
    csrf = name.replace("session", "csrf_token")
    got = cookies(response)
    assert set(got) == {name, csrf}
    assert response.json()["csrf_cookie"] == csrf
    for cookie in got.values():
        assert (cookie["path"], bool(cookie["secure"]), cookie["domain"]) == (path, secure, "")


async def test_use_extends_session_and_cookies_once_a_day(auth: Any, database_url: str) -> None:
    user = await auth.register()
    response = await auth.post("/auth/session", {"username": user["username"], "password": PASSWORD})
    credential = {"session_cookie": cookies(response)["session"].value}
    assert (await auth.post(TOKEN_EXCHANGE_PATH, credential)).json()["cookie_max_age"] is None
    connection = await asyncpg.connect(database_url)
    try:
        for days_left in (28.9, 1):
            await connection.execute(
                "UPDATE auth.login_session SET expires_at = now() + $1 * interval '1 day'", days_left
            )
            extended = (await auth.post(TOKEN_EXCHANGE_PATH, credential)).json()
            assert extended["cookie_max_age"] == 30 * 86_400
            days = await connection.fetchval(
                "SELECT extract(epoch FROM expires_at - now())::float8 / 86400 FROM auth.login_session"
            )
            assert 29.9 < days <= 30
            assert (await auth.post(TOKEN_EXCHANGE_PATH, credential)).json()["cookie_max_age"] is None
        await connection.execute("UPDATE auth.login_session SET expires_at = now()")
    finally:
        await connection.close()
    assert (await auth.post(TOKEN_EXCHANGE_PATH, credential)).status_code == 401


async def test_password_changed_in_browser_sets_the_new_cookies(auth: Any) -> None:
    user = await auth.register()
    response = await auth.post("/auth/session", {"username": user["username"], "password": PASSWORD})
    old = {"session_cookie": cookies(response)["session"].value}
    auth.client.cookies.clear()
    token = (await auth.post(TOKEN_EXCHANGE_PATH, old)).json()["access_token"]
    new_password = "amber-Lantern-58"
    change = {"old_password": PASSWORD, "new_password": new_password, "confirm_password": new_password}
    changed = await auth.post("/auth/password/change", change, token=token)
    jar = cookies(changed)
    assert jar["csrf_token"].value == changed.json()["csrf_token"]
    assert changed.json()["csrf_cookie"] == "csrf_token"
    assert (await auth.post(TOKEN_EXCHANGE_PATH, old)).status_code == 401
    renewed = await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": jar["session"].value})
    assert (renewed.status_code, renewed.json()["csrf_token"]) == (200, jar["csrf_token"].value)
    tokens = await auth.log_in(user["username"], new_password)
    back = {"old_password": new_password, "new_password": PASSWORD, "confirm_password": PASSWORD}
    without_cookie = await auth.post("/auth/password/change", back, token=tokens["access_token"])
    assert not cookies(without_cookie)
    assert without_cookie.json()["csrf_token"] is None


async def test_logout_deletes_cookies_of_browser_sessions_only(auth: Any) -> None:
    user = await auth.register()
    response = await auth.post("/auth/session", {"username": user["username"], "password": PASSWORD})
    cookie = cookies(response)["session"].value
    auth.client.cookies.clear()
    exchanged = (await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": cookie})).json()
    left = await auth.post("/auth/logout", token=exchanged["access_token"])
    assert left.status_code == 204
    assert {name: morsel.value for name, morsel in cookies(left).items()} == {"session": "", "csrf_token": ""}
    assert (await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": cookie})).status_code == 401
    tokens = await auth.log_in(user["username"])
    for method, path in (("DELETE", "/auth/session"), ("POST", "/auth/logout")):
        token_session = await auth.call(method, path, token=tokens["access_token"])
        assert token_session.status_code == 204
        assert not cookies(token_session)


async def test_browser_login_by_form_is_rejected(auth: Any) -> None:
    user = await auth.register()
    body = {"username": user["username"], "password": PASSWORD}
    assert (await auth.call("POST", "/auth/session", data=body)).status_code == 415
    text = {"Content-Type": "text/plain"}
    plain = await auth.call("POST", "/auth/session", content=json.dumps(body), headers=text)
    assert plain.status_code == 415
    assert not cookies(plain)


async def test_browser_login_with_wrong_password_sets_no_cookie(auth: Any) -> None:
    response = await auth.post("/auth/session", {"username": "unknown", "password": PASSWORD})
    assert (response.status_code, response.json()["code"]) == (401, "invalid_credentials")
    assert not cookies(response)


async def test_own_sessions_are_listed_with_device_and_revoked(auth: Any) -> None:
    user = await auth.register()
    laptop = await auth.log_in(user["username"], headers={"User-Agent": FIREFOX, "X-Forwarded-For": "192.0.2.1"})
    phone = await auth.log_in(user["username"], headers={"User-Agent": IPHONE, "X-Forwarded-For": "192.0.2.2"})
    till = await auth.log_in(user["username"], headers={"User-Agent": "till/3"})
    token = laptop["access_token"]
    listed = (await auth.get("/auth/sessions", token=token)).json()
    assert [(each["device"], each["is_current"]) for each in listed["items"]] == [
        ("till", False),
        ("Mobile Safari on iPhone", False),
        ("Firefox on Linux", True),
    ]
    assert [each["ip_address"] for each in listed["items"]] == ["203.0.113.9", "192.0.2.2", "192.0.2.1"]
    lost = listed["items"][1]
    assert (await auth.call("DELETE", f"/auth/sessions/{lost['id']}", token=token)).status_code == 204
    assert (await auth.call("DELETE", f"/auth/sessions/{lost['id']}", token=token)).status_code == 404
    assert (await auth.get(REVOCATIONS_PATH)).json()["session_ids"] == [auth.claims(phone)["sid"]]
    assert (await auth.post("/auth/refresh", {"refresh_token": phone["refresh_token"]})).status_code == 401
    assert (await auth.post("/auth/refresh", {"refresh_token": till["refresh_token"]})).status_code == 200
    after = (await auth.get("/auth/sessions", token=token)).json()
    assert [each["device"] for each in after["items"]] == ["till", "Firefox on Linux"]
    assert after["items"][0]["last_used_at"] > listed["items"][0]["last_used_at"]


async def test_session_list_is_paginated(auth: Any) -> None:
    user = await auth.register()
    for _ in range(5):
        token = (await auth.log_in(user["username"]))["access_token"]
    everything = (await auth.get("/auth/sessions", token=token)).json()["items"]
    pages, cursor = [], None
    while True:
        query = {"page_size": 2, **({"cursor": cursor} if cursor else {})}
        page = (await auth.get("/auth/sessions", token=token, params=query)).json()
        assert page["total"] == 5
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == everything


async def test_sessions_of_others_are_not_found(auth: Any) -> None:
    one, other = await auth.member(), await auth.member()
    (theirs,) = (await auth.get("/auth/sessions", token=other["access_token"])).json()["items"]
    for session_id in (theirs["id"], uuid.uuid4()):
        response = await auth.call("DELETE", f"/auth/sessions/{session_id}", token=one["access_token"])
        assert response.status_code == 404
    assert (await auth.call("DELETE", "/auth/sessions/x", token=one["access_token"])).status_code == 422
    assert (await auth.post("/auth/refresh", {"refresh_token": other["refresh_token"]})).status_code == 200
