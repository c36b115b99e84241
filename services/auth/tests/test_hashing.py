"""The queue of password hashing: fair between addresses, limited per address, with a cost from the settings."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg

from stockbuddy.auth.errors import TooManyPasswords
from stockbuddy.auth.hashing import FairQueue

PASSWORD = "violet-Harbour-71"
ATTACKER = "198.51.100.1"


async def test_addresses_take_turns() -> None:
    queue, order = FairQueue(1, max_waiting=100, max_per_address=10), []

    async def run(address: str) -> None:
        await queue.enter(address)
        order.append(address)
        await asyncio.sleep(0)
        queue.leave()

    await queue.enter("busy")
    attempts = [asyncio.create_task(run(address)) for address in ["flood"] * 12 + ["till"] * 2 + ["office"]]
    await asyncio.sleep(0)
    queue.leave()
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(error) for error in results if error] == [TooManyPasswords] * 2
    assert order == ["flood", "till", "office", "flood", "till", *["flood"] * 8]
    await queue.enter("next")  # all places were returned


async def test_cancelled_task_returns_its_place() -> None:
    queue = FairQueue(1, max_waiting=10, max_per_address=10)
    await queue.enter("first")
    waiting = [asyncio.create_task(queue.enter(address)) for address in ("second", "third")]
    await asyncio.sleep(0)
    waiting[0].cancel()
    queue.leave()
    await waiting[1]
    queue.leave()
    await queue.enter("fourth")


async def test_flood_from_one_address_does_not_delay_logins_from_others(another_auth: Any) -> None:
    async with another_auth(hashing_threads=1, hashing_queue_size_per_address=15) as auth:
        user = await auth.register()
        finished: list[str] = []

        async def log_in(username: str, password: str, address: str) -> Any:
            body = {"username": username, "password": password}
            response = await auth.post("/auth/login", body, headers={"X-Forwarded-For": address})
            finished.append(address)
            return response

        flood = [asyncio.create_task(log_in(f"unknown{n}", "wrong", ATTACKER)) for n in range(60)]
        await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        response = await log_in(user["username"], PASSWORD, "203.0.113.7")
        assert response.status_code == 200
        answers = await asyncio.gather(*flood)
        statuses = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
        assert set(statuses) == {(401, "invalid_credentials"), (429, "too_many_logins")}
        assert statuses[429, "too_many_logins"] > 30
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["Retry-After"]) >= 1
        verified_later = [address for address in finished[finished.index("203.0.113.7") + 1 :] if address == ATTACKER]
        assert verified_later, "the login did not wait for the flood to end"


async def test_hashing_cost_is_a_setting_and_applies_at_the_next_login(another_auth: Any, database_url: str) -> None:
    async with another_auth() as auth:
        user = await auth.register()
    async with another_auth(hashing_iterations=3, hashing_memory_kibibytes=8192) as auth:
        await auth.log_in(user["username"])
    connection = await asyncpg.connect(database_url)
    try:
        stored = await connection.fetchval("SELECT password_hash FROM auth.user_account")
    finally:
        await connection.close()
    assert "$m=8192,t=3,p=1$" in stored
