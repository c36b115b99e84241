"""Sessions: rotation and reuse of refresh tokens, logout, and the feed of revocations."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stockbuddy.contracts.internal import REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH

PASSWORD = "violet-Harbour-71"


async def test_refresh_returns_new_pair_of_tokens(auth: Any) -> None:
    first = await auth.member()
    response = await auth.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    second = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert second["user"] == first["user"]
    assert second["refresh_token"] != first["refresh_token"]
    assert (await auth.get("/auth/profile", token=second["access_token"])).status_code == 200
    third = await auth.post("/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert third.status_code == 200


async def test_reused_refresh_token_revokes_session(auth: Any) -> None:
    first = await auth.member()
    second = (await auth.post("/auth/refresh", {"refresh_token": first["refresh_token"]})).json()
    assert await revoked(auth) == []
    stolen = await auth.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_refresh_token")
    owner = await auth.post("/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert (owner.status_code, owner.json()["code"]) == (401, "invalid_refresh_token")
    assert len(await revoked(auth)) == 1
    ended = await auth.event("auth.session.revoked")
    assert ended["reason"] == "refresh_token_reused"


async def test_concurrent_refreshes_with_one_token_succeed_once_and_revoke_session(auth: Any) -> None:
    tokens = await auth.member()
    body = {"refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(auth.post("/auth/refresh", body) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 7}
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    again = await auth.post("/auth/refresh", {"refresh_token": winner["refresh_token"]})
    assert again.status_code == 401
    assert len(await revoked(auth)) == 1


async def test_unknown_refresh_token_has_no_effect(auth: Any) -> None:
    tokens = await auth.member()
    for forged in ("", "x", tokens["refresh_token"][:-1], tokens["access_token"][:200], "\x00"):
        response = await auth.post("/auth/refresh", {"refresh_token": forged})
        assert (response.status_code, response.json()["code"]) == (401, "invalid_refresh_token")
    assert (await auth.post("/auth/refresh", {"refresh_token": "x" * 201})).status_code == 422
    assert (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 200


AGE = "UPDATE auth.login_session SET created_at = created_at - make_interval(days => $1) WHERE id = $2"


async def execute(auth: Any, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(auth.app.state.resources.settings.database_url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def age_session(auth: Any, tokens: dict[str, Any], days: int) -> None:
    await execute(auth, AGE, days, auth.claims(tokens)["sid"])


async def test_session_ends_at_maximum_lifetime_although_used(another_auth: Any) -> None:
    async with another_auth(session_days=30, session_max_days=90) as auth:
        tokens = await auth.member()
        await age_session(auth, tokens, 80)
        tokens = (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).json()
        (session,) = (await auth.get("/auth/sessions", token=tokens["access_token"])).json()["items"]
        created_at, expires_at = (datetime.fromisoformat(session[name]) for name in ("created_at", "expires_at"))
        assert expires_at - created_at == timedelta(days=90)
        await age_session(auth, tokens, 11)
        late = await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        assert (late.status_code, late.json()["code"]) == (401, "invalid_refresh_token")


async def test_browser_session_ends_at_maximum_lifetime_with_its_cookies(another_auth: Any) -> None:
    async with another_auth(session_days=30, session_max_days=90) as auth:
        user = await auth.register()
        login = await auth.post("/auth/session", {"username": user["username"], "password": PASSWORD})
        cookie = {"session_cookie": login.cookies["session"]}
        exchanged = (await auth.post(TOKEN_EXCHANGE_PATH, cookie)).json()
        await age_session(auth, exchanged, 50)
        await execute(auth, "UPDATE auth.login_session SET expires_at = now() + interval '9 days'")
        extended = (await auth.post(TOKEN_EXCHANGE_PATH, cookie)).json()
        assert extended["cookie_max_age"] == pytest.approx(30 * 86_400, abs=600)
        await age_session(auth, exchanged, 25)
        await execute(auth, "UPDATE auth.login_session SET expires_at = now() + interval '9 days'")
        last = (await auth.post(TOKEN_EXCHANGE_PATH, cookie)).json()
        assert last["cookie_max_age"] == pytest.approx(15 * 86_400, abs=600)
        await age_session(auth, exchanged, 16)
        ended = await auth.post(TOKEN_EXCHANGE_PATH, cookie)
        assert (ended.status_code, ended.json()["code"]) == (401, "invalid_session")


async def test_logout_revokes_one_session(auth: Any) -> None:
    user = await auth.register()
    ending, staying = await auth.log_in(user["username"]), await auth.log_in(user["username"])
    everything = (await auth.get(REVOCATIONS_PATH)).json()
    assert everything["session_ids"] == []
    response = await auth.post("/auth/logout", token=ending["access_token"])
    assert (response.status_code, response.content) == (204, b"")
    new = (await auth.get(REVOCATIONS_PATH, params={"after": everything["cursor"]})).json()
    assert new["session_ids"] == [auth.claims(ending)["sid"]]
    assert (await auth.post("/auth/refresh", {"refresh_token": ending["refresh_token"]})).status_code == 401
    assert (await auth.post("/auth/refresh", {"refresh_token": staying["refresh_token"]})).status_code == 200
    assert (await auth.post("/auth/logout", token=ending["access_token"])).status_code == 204
    later = (await auth.get(REVOCATIONS_PATH, params={"after": new["cursor"]})).json()
    assert set(later["session_ids"]) <= {auth.claims(ending)["sid"]}, "may repeat earlier ones"


async def test_revocation_that_commits_late_is_not_skipped(auth: Any, database_url: str) -> None:
    """The cursor is read while a concurrent transaction has inserted a revocation and not committed it."""
    late = await asyncpg.connect(database_url)
    try:
        transaction = late.transaction()
        await transaction.start()
        await late.execute("INSERT INTO auth.revocation (sid, needed_until) VALUES ('late', now() + interval '1 hour')")
        tokens = await auth.member()
        await auth.post("/auth/logout", token=tokens["access_token"])
        early = (await auth.get(REVOCATIONS_PATH)).json()
        assert early["session_ids"] == [auth.claims(tokens)["sid"]]
        await transaction.commit()
    finally:
        await late.close()
    new = (await auth.get(REVOCATIONS_PATH, params={"after": early["cursor"]})).json()
    assert "late" in new["session_ids"]


async def test_cursor_from_another_database_returns_all_revocations(auth: Any) -> None:
    tokens = await auth.member()
    await auth.post("/auth/logout", token=tokens["access_token"])
    new = (await auth.get(REVOCATIONS_PATH, params={"after": str(2**62)})).json()
    assert new["session_ids"] == [auth.claims(tokens)["sid"]]
    for malformed in ("x", "-1", "9" * 20, "1;"):
        response = await auth.get(REVOCATIONS_PATH, params={"after": malformed})
        assert response.status_code == 422


async def test_session_events_carry_actor_and_address(auth: Any) -> None:
    user = await auth.register(username="johndoe")
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Request-ID": "till-3-42"}
    tokens = await auth.log_in("johndoe", headers=headers)
    refreshed = await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]}, headers=headers)
    await auth.post("/auth/logout", token=refreshed.json()["access_token"], headers=headers)
    types = {"auth.user.logged_in", "auth.session.refreshed", "auth.session.revoked"}
    for event_type in types:
        await auth.event(event_type)
    messages = [m for m in auth.bus.published if m.headers.get("requestid") == "till-3-42"]
    assert {m.type for m in messages} == types
    for message in messages:
        assert message.headers["actorid"] == str(user["id"])
        assert message.headers["actorname"] == "johndoe"
        assert message.headers["clientip"] == "198.51.100.7"


async def revoked(auth: Any) -> list[str]:
    answer = (await auth.get(REVOCATIONS_PATH)).json()
    ids: list[str] = answer["session_ids"]
    return ids


async def test_stream_ticket_is_exchanged_once(auth: Any) -> None:
    tokens = await auth.member()
    created = await auth.post("/auth/stream-ticket", token=tokens["access_token"])
    assert (created.status_code, created.json()["expires_in"]) == (200, 60)
    assert created.headers["Cache-Control"] == "no-store"
    ticket = {"stream_ticket": created.json()["ticket"]}
    answers = await asyncio.gather(*(auth.post(TOKEN_EXCHANGE_PATH, ticket) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 5}
    exchanged = next(answer.json() for answer in answers if answer.status_code == 200)
    assert exchanged["expires_in"] == 900
    profile = await auth.get("/auth/profile", token=exchanged["access_token"])
    assert profile.json()["username"] == tokens["user"]["username"]


async def test_stream_ticket_ends_with_its_session_and_after_a_minute(auth: Any, database_url: str) -> None:
    tokens = await auth.member()
    late, ended = [
        {"stream_ticket": (await auth.post("/auth/stream-ticket", token=tokens["access_token"])).json()["ticket"]}
        for _ in range(2)
    ]
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "UPDATE auth.stream_ticket SET expires_at = now() WHERE digest = sha256($1)", late["stream_ticket"].encode()
        )
    finally:
        await connection.close()
    await auth.post("/auth/logout", token=tokens["access_token"])
    for ticket in (late, ended, {"stream_ticket": "unknown"}):
        refused = await auth.post(TOKEN_EXCHANGE_PATH, ticket)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_ticket")
