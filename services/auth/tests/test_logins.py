"""What a wrong login is told, and what a flood of them does."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

PASSWORD = "violet-Harbour-71"

DIFFERING_HEADERS = ("x-request-id", "content-length")
DOORS = ["/auth/login", "/auth/login-json", "/auth/admin/login"]


def told(response: Any) -> tuple[Any, ...]:
    """All that a caller can see of an answer but what differs from call to call."""
    body = {name: value for name, value in response.json().items() if name != "request_id"}
    headers = {name: value for name, value in response.headers.items() if name not in DIFFERING_HEADERS}
    return response.status_code, body, headers


async def hashed(auth: Any) -> float:
    metrics = (await auth.client.get("/metrics")).text
    return float(re.search(r"^stockbuddy_auth_hashing_total ([\d.]+)$", metrics, re.MULTILINE)[1])  # type: ignore[index]


async def test_an_unknown_user_and_a_wrong_password_are_told_the_same(auth: Any, subtests: pytest.Subtests) -> None:
    user = await auth.register()
    for path in DOORS:
        with subtests.test(path=path):
            wrong = await auth.post(path, {"username": user["username"], "password": "wrong-Harbour-71"})
            unknown = await auth.post(path, {"username": "nobody", "password": "wrong-Harbour-71"})
            assert told(wrong) == told(unknown)
            assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
            assert wrong.headers["WWW-Authenticate"] == "Bearer"


async def test_an_unknown_user_costs_a_hash_too(auth: Any) -> None:
    """The clock of a busy machine proves nothing; that the hashing threads were used does."""
    user = await auth.register()
    for login in (user["username"], "nobody"):
        before = await hashed(auth)
        await auth.post("/auth/login", {"username": login, "password": "wrong-Harbour-71"})
        assert await hashed(auth) == before + 1


async def test_a_wrong_login_is_on_record_with_its_reason_and_address(auth: Any) -> None:
    user = await auth.register()
    origin = {"X-Forwarded-For": "198.51.100.7"}
    await auth.post("/auth/login", {"username": user["email"], "password": "wrong"}, headers=origin)
    await auth.post("/auth/login", {"username": "n" * 254, "password": "wrong"}, headers=origin)
    first, second = await auth.events("auth.user.login_failed", at_least=2)
    if first["user_id"] is None:  # Different subjects keep no order among themselves.
        first, second = second, first
    assert first == {"login": user["email"], "user_id": user["id"], "reason": "wrong_password"}
    assert second == {"login": "n" * 100, "user_id": None, "reason": "unknown_user"}
    addresses = [m.headers["clientip"] for m in auth.bus.published if m.type == "auth.user.login_failed"]
    assert addresses == ["198.51.100.7"] * 2


async def test_a_flood_of_logins_is_turned_away_and_leaves_the_rest_responsive(another_auth: Any) -> None:
    async with another_auth(hashing_threads=1, hashing_queue=4) as busy:
        tokens = await busy.member()
        flood = [
            asyncio.create_task(busy.post("/auth/login", {"username": f"nobody{n}", "password": "wrong"}))
            for n in range(60)
        ]
        await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        profile = await busy.get("/auth/profile", token=tokens["access_token"])
        assert profile.status_code == 200
        assert not all(task.done() for task in flood)
        answers = Counter((answer.status_code, answer.json()["code"]) for answer in await asyncio.gather(*flood))
        assert set(answers) == {(401, "invalid_credentials"), (503, "busy")}
        assert answers[401, "invalid_credentials"] >= 5
        refused = await busy.post("/auth/login", {"username": tokens["user"]["username"], "password": PASSWORD})
        assert refused.status_code == 200
