"""The first admin: without a token in development, with the setup token in production, and only one."""

import asyncio
import re
from collections import Counter
from typing import Any

from structlog.testing import capture_logs

PASSWORD = "violet-Harbour-71"
BOSS = {"username": "boss", "email": "boss@example.com", "password": PASSWORD}


async def test_first_admin_in_development_needs_no_token(auth: Any) -> None:
    setup = {"needs_admin": True, "needs_setup_token": False, "registration_open": True}
    assert (await auth.get("/auth/setup")).json() == setup
    response = await auth.post("/auth/admin/register", BOSS)
    assert response.status_code == 201
    assert response.json()["role"] == "admin"
    assert (await auth.get("/auth/setup")).json() == {**setup, "needs_admin": False}


async def test_admin_registers_and_logs_in_with_address_only(auth: Any) -> None:
    """The derived names: `admin` is reserved, `till` is taken the second time."""
    token, names = None, []
    for address in ("admin@shop.example", "till@shop.example", "till@branch.example"):
        credentials = {"email": address, "password": PASSWORD}
        made = await auth.post("/auth/admin/register", credentials, token=token)
        assert made.status_code == 201, made.text
        names.append(made.json()["username"])
        login = await auth.post("/auth/admin/login", credentials)
        assert (login.status_code, login.json()["user"]["is_admin"]) == (200, True)
        token = login.json()["access_token"]
    assert re.fullmatch(r"admin-\w{8} till till-\w{8}", " ".join(names))


async def test_later_admin_is_registered_by_admins_only(auth: Any) -> None:
    admin = await auth.admin_token()
    second = {**BOSS, "username": "second", "email": "second@example.com"}
    assert (await auth.post("/auth/admin/register", second)).status_code == 401
    member = (await auth.member())["access_token"]
    assert (await auth.post("/auth/admin/register", second, token=member)).status_code == 403
    made = await auth.post("/auth/admin/register", second, token=admin)
    assert (made.status_code, made.json()["role"]) == (201, "admin")


async def test_concurrent_first_admins_register_once(auth: Any) -> None:
    bodies = [{**BOSS, "username": f"boss{n}", "email": f"boss{n}@example.com"} for n in range(6)]
    answers = await asyncio.gather(*(auth.post("/auth/admin/register", body) for body in bodies))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 401: 5}


async def test_setup_token_in_production_is_logged_once(another_auth: Any) -> None:
    with capture_logs() as logs:
        async with another_auth(env="production") as production:
            (token,) = logged_tokens(logs)
            for wrong in (None, "", "x" * 43, token[:-1]):
                response = await production.post("/auth/admin/register", {**BOSS, "setup_token": wrong})
                assert (response.status_code, response.json()["code"]) == (403, "setup_token_invalid")
    with capture_logs() as logs:
        async with another_auth(env="production") as production:
            assert logged_tokens(logs) == []
            response = await production.post("/auth/admin/register", {**BOSS, "setup_token": token})
            assert response.status_code == 201, response.text
            second = {**BOSS, "username": "second", "email": "second@example.com", "setup_token": token}
            assert (await production.post("/auth/admin/register", second)).status_code == 401


def logged_tokens(logs: list[Any]) -> list[str]:
    return [line["setup_token"] for line in logs if line["event"] == "bootstrap.admin_required"]


async def test_lost_setup_token_is_replaced_by_command(another_auth: Any, auth_command: Any) -> None:
    with capture_logs() as logs:
        async with another_auth(env="production") as production:
            (lost,) = logged_tokens(logs)
            output = await auth_command("setup-token")
            token = output.removeprefix("setup_token: ").strip()
            old = await production.post("/auth/admin/register", {**BOSS, "setup_token": lost})
            assert old.status_code == 403
            new = await production.post("/auth/admin/register", {**BOSS, "setup_token": token})
            assert new.status_code == 201, new.text
            assert "An admin exists already" in await auth_command("setup-token")


async def test_admin_registration_repeated_with_idempotency_key_takes_effect_once(auth: Any) -> None:
    admin = await auth.admin_token()
    second = {**BOSS, "username": "second", "email": "second@example.com"}
    key = {"Idempotency-Key": "register-second"}
    answers = [await auth.post("/auth/admin/register", second, token=admin, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1


async def test_admin_login_of_other_roles_is_rejected_and_audited(auth: Any) -> None:
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
