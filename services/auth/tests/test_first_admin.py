"""The first admin: anybody in development, who holds the setup token in production, and only one."""

import asyncio
from collections import Counter
from typing import Any

from structlog.testing import capture_logs

PASSWORD = "violet-Harbour-71"
BOSS = {"username": "boss", "email": "boss@example.com", "password": PASSWORD}


async def test_in_development_the_first_admin_needs_no_token(auth: Any) -> None:
    response = await auth.post("/auth/admin/register", BOSS)
    assert response.status_code == 201
    assert response.json()["role"] == "admin"


async def test_later_admins_are_made_by_admins_alone(auth: Any) -> None:
    admin = await auth.admin_token()
    second = {**BOSS, "username": "second", "email": "second@example.com"}
    assert (await auth.post("/auth/admin/register", second)).status_code == 401
    member = (await auth.member())["access_token"]
    assert (await auth.post("/auth/admin/register", second, token=member)).status_code == 403
    made = await auth.post("/auth/admin/register", second, token=admin)
    assert (made.status_code, made.json()["role"]) == (201, "admin")


async def test_of_many_first_admins_at_once_one_is_made(auth: Any) -> None:
    bodies = [{**BOSS, "username": f"boss{n}", "email": f"boss{n}@example.com"} for n in range(6)]
    answers = await asyncio.gather(*(auth.post("/auth/admin/register", body) for body in bodies))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 401: 5}


async def test_production_prints_a_setup_token_once(another_auth: Any) -> None:
    with capture_logs() as logs:
        async with another_auth(env="production") as production:
            (token,) = printed_tokens(logs)
            for wrong in (None, "", "x" * 43, token[:-1]):
                response = await production.post("/auth/admin/register", {**BOSS, "setup_token": wrong})
                assert (response.status_code, response.json()["code"]) == (403, "setup_token_invalid")
    with capture_logs() as logs:
        async with another_auth(env="production") as production:
            assert printed_tokens(logs) == []
            response = await production.post("/auth/admin/register", {**BOSS, "setup_token": token})
            assert response.status_code == 201, response.text
            second = {**BOSS, "username": "second", "email": "second@example.com", "setup_token": token}
            assert (await production.post("/auth/admin/register", second)).status_code == 401


def printed_tokens(logs: list[Any]) -> list[str]:
    return [line["setup_token"] for line in logs if line["event"] == "setup.first_admin_needed"]


async def test_an_operator_who_lost_the_setup_token_makes_another(another_auth: Any, auth_command: Any) -> None:
    with capture_logs() as logs:
        async with another_auth(env="production") as production:
            (lost,) = printed_tokens(logs)
            said = await auth_command("setup-token")
            token = said.removeprefix("setup_token: ").strip()
            old = await production.post("/auth/admin/register", {**BOSS, "setup_token": lost})
            assert old.status_code == 403
            new = await production.post("/auth/admin/register", {**BOSS, "setup_token": token})
            assert new.status_code == 201, new.text
            assert "There is an admin already" in await auth_command("setup-token")


async def test_the_first_admin_is_made_once_per_idempotency_key_like_the_later_ones(auth: Any) -> None:
    admin = await auth.admin_token()
    second = {**BOSS, "username": "second", "email": "second@example.com"}
    key = {"Idempotency-Key": "make-second"}
    answers = [await auth.post("/auth/admin/register", second, token=admin, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1


async def test_the_admins_door_lets_only_admins_in(auth: Any) -> None:
    await auth.register_admin()
    user = await auth.register()
    admin = await auth.post("/auth/admin/login", {"username": "boss", "password": PASSWORD})
    assert (admin.status_code, admin.json()["user"]["role"]) == (200, "admin")
    form = await auth.call("POST", "/auth/admin/login", data={"username": "boss@example.com", "password": PASSWORD})
    assert form.status_code == 200
    other = await auth.post("/auth/admin/login", {"username": user["username"], "password": PASSWORD})
    assert (other.status_code, other.json()["code"]) == (403, "admins_only")
    denied = await auth.event("auth.access.denied")
    assert (denied["code"], denied["user_id"]) == ("admins_only", user["id"])
    (message,) = [message for message in auth.bus.published if message.type == "auth.access.denied"]
    assert message.headers["actorname"] == user["username"]
    wrong = await auth.post("/auth/admin/login", {"username": user["username"], "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
