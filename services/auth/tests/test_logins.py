"""Responses to failed logins, and overload of password hashing."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

PASSWORD = "violet-Harbour-71"

DIFFERING_HEADERS = ("x-request-id", "content-length")
LOGIN_PATHS = ["/auth/login", "/auth/login-json", "/auth/admin/login"]


def visible(response: Any) -> tuple[Any, ...]:
    """The parts of a response that do not differ between requests."""
    body = {name: value for name, value in response.json().items() if name != "request_id"}
    headers = {name: value for name, value in response.headers.items() if name not in DIFFERING_HEADERS}
    return response.status_code, body, headers


async def hashed(auth: Any) -> float:
    metrics = (await auth.client.get("/metrics")).text
    return float(re.search(r"^stockbuddy_auth_hashing_total ([\d.]+)$", metrics, re.MULTILINE)[1])  # type: ignore[index]


async def test_unknown_user_and_wrong_password_get_same_response(auth: Any, subtests: pytest.Subtests) -> None:
    user = await auth.register()
    for path in LOGIN_PATHS:
        with subtests.test(path=path):
            wrong = await auth.post(path, {"username": user["username"], "password": "wrong-Harbour-71"})
            unknown = await auth.post(path, {"username": "unknown", "password": "wrong-Harbour-71"})
            assert visible(wrong) == visible(unknown)
            assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
            assert wrong.headers["WWW-Authenticate"] == "Bearer"


async def test_login_of_unknown_user_computes_a_hash(auth: Any) -> None:
    """Counts hashes instead of measuring time, which proves nothing on a busy machine."""
    user = await auth.register()
    for login in (user["username"], "unknown"):
        before = await hashed(auth)
        await auth.post("/auth/login", {"username": login, "password": "wrong-Harbour-71"})
        assert await hashed(auth) == before + 1


async def test_failed_login_is_published_with_reason_and_address(auth: Any) -> None:
    user = await auth.register()
    origin = {"X-Forwarded-For": "198.51.100.7"}
    await auth.post("/auth/login", {"username": user["email"], "password": "wrong"}, headers=origin)
    await auth.post("/auth/login", {"username": "n" * 254, "password": "wrong"}, headers=origin)
    first, second = await auth.events("auth.user.login_failed", at_least=2)
    if first["user_id"] is None:  # order is kept per subject only
        first, second = second, first
    assert first == {
        "login": user["username"],
        "login_digest": None,
        "user_id": user["id"],
        "reason": "wrong_password",
        "repetitions": 0,
    }
    assert second.pop("login_digest")
    assert second == {"login": "unknown", "user_id": None, "reason": "unknown_user", "repetitions": 0}
    addresses = [m.headers["clientip"] for m in auth.bus.published if m.type == "auth.user.login_failed"]
    assert addresses == ["198.51.100.7"] * 2


async def test_flood_of_logins_is_rejected_and_other_requests_succeed(another_auth: Any) -> None:
    async with another_auth(hashing_threads=1, hashing_queue_size=4) as busy:
        tokens = await busy.member()
        flood = [
            asyncio.create_task(busy.post("/auth/login", {"username": f"unknown{n}", "password": "wrong"}))
            for n in range(60)
        ]
        await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        profile = await busy.get("/auth/profile", token=tokens["access_token"])
        assert profile.status_code == 200
        assert not all(task.done() for task in flood)
        answers = Counter((answer.status_code, answer.json()["code"]) for answer in await asyncio.gather(*flood))
        assert set(answers) == {(401, "invalid_credentials"), (503, "hashing_overloaded")}
        assert answers[401, "invalid_credentials"] >= 5
        refused = await busy.post("/auth/login", {"username": tokens["user"]["username"], "password": PASSWORD})
        assert refused.status_code == 200
