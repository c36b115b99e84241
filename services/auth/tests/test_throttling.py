"""Login throttling: failed logins slow down the attacker, and hardly the user whose name is used."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from stockbuddy.auth.logins.throttle import (
    ADDRESS,
    LOGIN,
    LOGIN_AT_ADDRESS,
    MAX_BACKOFF_SECONDS,
)

PASSWORD = "violet-Harbour-71"
FIRST_BACKOFF_SECONDS = 60  # set in conftest.py
SLOWNESS_SECONDS = 30


async def attempt(auth: Any, login: str, password: str, address: str) -> Any:
    body = {"username": login, "password": password}
    return await auth.post("/auth/login", body, headers={"X-Forwarded-For": address})


async def let_time_pass(auth: Any, passed: timedelta) -> None:
    """Move all recorded failures into the past."""
    connection = await asyncpg.connect(auth.app.state.resources.settings.database_url)
    try:
        await connection.execute(
            "UPDATE auth.login_counter"
            " SET counted_at = counted_at - $1::interval, blocked_until = blocked_until - $1::interval",
            passed,
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("login", ["victim", "unknown"])
async def test_login_after_five_failures_is_delayed_with_growing_backoff(auth: Any, login: str) -> None:
    await auth.register(username="victim")
    for _ in range(5):
        assert (await attempt(auth, login, "wrong", "198.51.100.1")).status_code == 401
    backoffs = []
    for _ in range(4):
        refused = await attempt(auth, login, "wrong", "198.51.100.1")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        backoffs.append(int(refused.headers["Retry-After"]))
        await let_time_pass(auth, timedelta(seconds=backoffs[-1]))
        assert (await attempt(auth, login, "wrong", "198.51.100.1")).status_code == 401
    for number, backoff in enumerate(backoffs):
        expected = FIRST_BACKOFF_SECONDS * 2**number
        assert expected - SLOWNESS_SECONDS < backoff <= expected


async def test_right_password_during_backoff_is_rejected(auth: Any) -> None:
    await auth.register(username="victim")
    for _ in range(5):
        await attempt(auth, "victim", "wrong", "198.51.100.1")
    assert (await attempt(auth, "victim", PASSWORD, "198.51.100.1")).status_code == 429
    await let_time_pass(auth, timedelta(seconds=FIRST_BACKOFF_SECONDS))
    assert (await attempt(auth, "victim", PASSWORD, "198.51.100.1")).status_code == 200
    assert (await attempt(auth, "victim", "wrong", "198.51.100.1")).status_code == 401, "a success resets the counter"


async def test_hundred_concurrent_logins_verify_five_passwords(auth: Any) -> None:
    await auth.register(username="victim")
    guesses = [f"guess-{number}" for number in range(99)]
    guesses.insert(60, PASSWORD)
    answers = await asyncio.gather(*(attempt(auth, "victim", guess, "198.51.100.1") for guess in guesses))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[401] == 5
    assert statuses[429] + statuses[503] == 95
    locked = await auth.event("auth.user.locked_out")
    assert len(await auth.events("auth.user.login_failed")) == 1, "the others are repetitions of it"
    assert (locked["login"], locked["scope"]) == ("victim", "login_at_address")
    assert (locked["failures"], locked["seconds"]) == (5, FIRST_BACKOFF_SECONDS)


async def test_distributed_attack_is_throttled_except_at_known_address(auth: Any) -> None:
    await auth.register(username="victim")
    assert (await attempt(auth, "victim", PASSWORD, "192.0.2.10")).status_code == 200
    for number in range(20):
        assert (await attempt(auth, "victim", "wrong", f"198.51.100.{number}")).status_code == 401
    assert (await attempt(auth, "victim", "wrong", "198.51.100.99")).status_code == 429
    assert (await attempt(auth, "victim", PASSWORD, "192.0.2.10")).status_code == 200
    assert (await attempt(auth, "victim", PASSWORD, "192.0.2.11")).status_code == 429
    assert (await attempt(auth, "other-user", "wrong", "198.51.100.99")).status_code == 401


@pytest.mark.parametrize("address", ["198.51.100.{}", "2001:db8::{}"])
async def test_one_password_tried_on_many_users_is_throttled(auth: Any, address: str) -> None:
    """An IPv6 client has a whole /64 network. In the log, the failures for unknown names are one event."""
    addresses = itertools.cycle([address.format(n) for n in ((1, 2) if ":" in address else (1,))])
    for number in range(ADDRESS.free_failures):
        assert (await attempt(auth, f"user-{number}", "Summer-2026!", next(addresses))).status_code == 401
    assert (await attempt(auth, "user-next", "Summer-2026!", next(addresses))).status_code == 429
    assert (await attempt(auth, "user-next", "Summer-2026!", "198.51.100.9")).status_code == 401
    assert (await auth.event("auth.user.locked_out"))["scope"] == "address"
    assert len(await auth.events("auth.user.login_failed", at_least=2)) == 2


@pytest.mark.parametrize("path", ["/auth/login-json", "/auth/admin/login", "/auth/session", "/auth/salesperson"])
async def test_failures_at_all_login_endpoints_count_together(auth: Any, path: str) -> None:
    user = await auth.register()
    for _ in range(5):
        await auth.post("/auth/login", {"username": user["email"], "password": "wrong"})
    name = "email" if path == "/auth/salesperson" else "username"
    refused = await auth.post(path, {name: user["email"], "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")


@pytest.mark.parametrize("scope", [LOGIN_AT_ADDRESS, LOGIN, ADDRESS])
def test_backoff_doubles_up_to_its_maximum_and_failures_decay(scope: Any) -> None:
    backoffs = [scope.backoff_seconds(failures, 5) for failures in range(1, 1000)]
    assert backoffs == sorted(backoffs)
    assert backoffs[scope.free_failures - 2 : scope.free_failures + 1] == [0, 5, 10]
    assert max(backoffs) == MAX_BACKOFF_SECONDS == 900
    assert scope.remaining_failures(10, timedelta(seconds=scope.decay_seconds * 3)) == 7
    assert scope.remaining_failures(10, timedelta(days=365)) == 0
