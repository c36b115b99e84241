"""Lock-out: wrong logins slow the attacker down, and the user whose name they use hardly at all."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from stockbuddy.auth.logins.throttle import (
    ADDRESS,
    LOGIN,
    LOGIN_AT_ADDRESS,
    LONGEST_PAUSE_SECONDS,
)

PASSWORD = "violet-Harbour-71"
FIRST_PAUSE_SECONDS = 60  # what conftest.py sets
SLOWNESS_SECONDS = 30


async def attempt(auth: Any, login: str, password: str, address: str) -> Any:
    body = {"username": login, "password": password}
    return await auth.post("/auth/login", body, headers={"X-Forwarded-For": address})


async def let_time_pass(auth: Any, passed: timedelta) -> None:
    """All that is remembered of failures happened so much earlier."""
    connection = await asyncpg.connect(auth.app.state.settings.database_url)
    try:
        await connection.execute(
            "UPDATE auth.login_throttle"
            " SET counted_at = counted_at - $1::interval, blocked_until = blocked_until - $1::interval",
            passed,
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("login", ["victim", "nobody"])
async def test_after_five_wrong_logins_the_next_has_to_wait_longer_and_longer(auth: Any, login: str) -> None:
    await auth.register(username="victim")
    for _ in range(5):
        assert (await attempt(auth, login, "wrong", "198.51.100.1")).status_code == 401
    pauses = []
    for _ in range(4):
        refused = await attempt(auth, login, "wrong", "198.51.100.1")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        pauses.append(int(refused.headers["Retry-After"]))
        await let_time_pass(auth, timedelta(seconds=pauses[-1]))
        assert (await attempt(auth, login, "wrong", "198.51.100.1")).status_code == 401
    for number, pause in enumerate(pauses):
        wanted = FIRST_PAUSE_SECONDS * 2**number
        assert wanted - SLOWNESS_SECONDS < pause <= wanted


async def test_while_the_pause_lasts_the_right_password_is_not_tried_either(auth: Any) -> None:
    await auth.register(username="victim")
    for _ in range(5):
        await attempt(auth, "victim", "wrong", "198.51.100.1")
    assert (await attempt(auth, "victim", PASSWORD, "198.51.100.1")).status_code == 429
    await let_time_pass(auth, timedelta(seconds=FIRST_PAUSE_SECONDS))
    assert (await attempt(auth, "victim", PASSWORD, "198.51.100.1")).status_code == 200
    assert (await attempt(auth, "victim", "wrong", "198.51.100.1")).status_code == 401, "a success clears the count"


async def test_a_hundred_wrong_logins_at_once_learn_of_five_passwords(auth: Any) -> None:
    await auth.register(username="victim")
    guesses = [f"guess-{number}" for number in range(99)]
    guesses.insert(60, PASSWORD)
    answers = await asyncio.gather(*(attempt(auth, "victim", guess, "198.51.100.1") for guess in guesses))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[401] == 5
    assert statuses[429] + statuses[503] == 95
    assert len(await auth.events("auth.user.login_failed", at_least=5)) == 5
    locked = await auth.event("auth.user.locked_out")
    assert (locked["login"], locked["scope"]) == ("victim", "login_at_address")
    assert (locked["failures"], locked["seconds"]) == (5, FIRST_PAUSE_SECONDS)


async def test_a_botnet_is_slowed_down_but_the_user_gets_in_where_they_always_do(auth: Any) -> None:
    await auth.register(username="victim")
    assert (await attempt(auth, "victim", PASSWORD, "192.0.2.10")).status_code == 200
    for number in range(20):
        assert (await attempt(auth, "victim", "wrong", f"198.51.100.{number}")).status_code == 401
    assert (await attempt(auth, "victim", "wrong", "198.51.100.99")).status_code == 429
    assert (await attempt(auth, "victim", PASSWORD, "192.0.2.10")).status_code == 200
    assert (await attempt(auth, "victim", PASSWORD, "192.0.2.11")).status_code == 429
    assert (await attempt(auth, "somebody-else", "wrong", "198.51.100.99")).status_code == 401


async def test_one_password_tried_on_everybody_is_slowed_down(auth: Any) -> None:
    for number in range(ADDRESS.free):
        assert (await attempt(auth, f"user-{number}", "Summer-2026!", "198.51.100.1")).status_code == 401
    assert (await attempt(auth, "user-next", "Summer-2026!", "198.51.100.1")).status_code == 429
    assert (await attempt(auth, "user-next", "Summer-2026!", "198.51.100.2")).status_code == 401


@pytest.mark.parametrize("path", ["/auth/login-json", "/auth/admin/login", "/auth/session", "/auth/salesperson"])
async def test_every_door_counts_together(auth: Any, path: str) -> None:
    user = await auth.register()
    for _ in range(5):
        await auth.post("/auth/login", {"username": user["email"], "password": "wrong"})
    name = "email" if path == "/auth/salesperson" else "username"
    refused = await auth.post(path, {name: user["email"], "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")


@pytest.mark.parametrize("scope", [LOGIN_AT_ADDRESS, LOGIN, ADDRESS])
def test_pauses_double_up_to_a_quarter_of_an_hour_and_are_forgiven(scope: Any) -> None:
    pauses = [scope.pause_seconds(failures, 5) for failures in range(1, 1000)]
    assert pauses == sorted(pauses)
    assert pauses[scope.free - 2 : scope.free + 1] == [0, 5, 10]
    assert max(pauses) == LONGEST_PAUSE_SECONDS == 900
    assert scope.remaining(10, timedelta(seconds=scope.forgiven_seconds * 3)) == 7
    assert scope.remaining(10, timedelta(days=365)) == 0
