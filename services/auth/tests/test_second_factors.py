"""Second factors: setup, logins with a code, recovery codes, lock-out, roles that require one, and step-up."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pyotp
import pytest

from stockbuddy.contracts.internal import TOKEN_EXCHANGE_PATH

PASSWORD = "violet-Harbour-71"
NEW_PASSWORD = "amber-Lantern-58"
STEP_SECONDS = 30
WRONG = "000000"
ATTACKER = "198.51.100.7"
OWNER = "203.0.113.9"  # of the client in conftest.py
UNUSED = "UPDATE auth.totp_factor SET last_step = last_step - 10 WHERE last_step IS NOT NULL"
OLD = """
    UPDATE auth.login_session
    SET authenticated_at = authenticated_at - $1::interval, second_factor_at = second_factor_at - $1::interval
"""


async def execute(auth: Any, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(auth.app.state.resources.settings.database_url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


def code(secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // STEP_SECONDS + steps)


async def next_code(auth: Any, secret: str) -> str:
    """The current code, as if the last one had been used some steps ago."""
    await execute(auth, UNUSED)
    return code(secret)


async def set_up(auth: Any, token: str) -> tuple[str, list[str]]:
    """Give the user an authenticator app; its secret and the recovery codes."""
    started = await auth.post("/auth/factors", token=token)
    assert started.status_code == 201, started.text
    setup = started.json()
    confirmed = await auth.post(f"/auth/factors/{setup['id']}/confirm", {"code": code(setup["secret"])}, token=token)
    assert confirmed.status_code == 200, confirmed.text
    return setup["secret"], confirmed.json()["recovery_codes"]


async def member_with_factor(auth: Any) -> tuple[dict[str, Any], str, list[str]]:
    tokens = await auth.member()
    secret, recovery_codes = await set_up(auth, tokens["access_token"])
    return tokens, secret, recovery_codes


async def challenge(auth: Any, username: str, *, address: str = OWNER) -> str:
    """The challenge of a login with the right password."""
    body = {"username": username, "password": PASSWORD}
    response = await auth.post("/auth/login", body, headers={"X-Forwarded-For": address})
    assert (response.status_code, response.json()["code"]) == (401, "second_factor_required")
    token: str = response.json()["challenge"]
    return token


async def complete(auth: Any, challenge: str, code: str, *, address: str = OWNER) -> Any:
    body = {"challenge": challenge, "code": code}
    return await auth.post("/auth/login/second-factor", body, headers={"X-Forwarded-For": address})


async def test_authenticator_app_becomes_a_second_factor_when_its_first_code_is_entered(auth: Any) -> None:
    tokens = await auth.member()
    token, user = tokens["access_token"], tokens["user"]
    setup = (await auth.post("/auth/factors", token=token)).json()
    uri = urlsplit(setup["uri"])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == [setup["secret"]]
    confirm = f"/auth/factors/{setup['id']}/confirm"
    wrong = await auth.post(confirm, {"code": WRONG}, token=token)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_code")
    await auth.log_in(user["username"])  # a pending app is no second factor
    confirmed = await auth.post(
        confirm, {"code": f" {code(setup['secret'])[:3]} {code(setup['secret'])[3:]}"}, token=token
    )
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert (await auth.post(confirm, {"code": code(setup["secret"], steps=1)}, token=token)).status_code == 404
    listed = (await auth.get("/auth/factors", token=token)).json()
    assert [(item["id"], item["kind"]) for item in listed["items"]] == [(setup["id"], "totp")]
    assert (listed["recovery_codes_remaining"], listed["is_required"]) == (10, False)
    assert setup["secret"] not in str(listed)
    assert (await auth.get("/auth/profile", token=token)).json()["has_second_factor"] is True
    assert (await auth.event("auth.factor.added"))["kind"] == "totp"
    assert (await auth.email("your second factors were changed"))["To"] == user["email"]
    published = [str(message.body) for message in auth.bus.published]
    assert not any(setup["secret"] in body or recovery in body for body in published for recovery in confirmed.json())


async def test_login_needs_a_code_and_each_code_works_once(auth: Any) -> None:
    tokens, secret, _ = await member_with_factor(auth)
    username = tokens["user"]["username"]
    started = await challenge(auth, username)
    wrong = await complete(auth, started, WRONG)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_second_factor")
    entered = await next_code(auth, secret)
    done = await complete(auth, started, entered)
    assert done.status_code == 200, done.text
    assert done.headers["Cache-Control"] == "no-store"
    assert done.json()["recovery_codes"] is None
    assert (await auth.get("/auth/profile", token=done.json()["access_token"])).status_code == 200
    used = await complete(auth, await challenge(auth, username), entered)
    assert (used.status_code, used.json()["code"]) == (401, "invalid_second_factor")
    again = await complete(auth, started, await next_code(auth, secret))
    assert (again.status_code, again.json()["code"]) == (401, "invalid_challenge")
    events = await auth.events("auth.user.logged_in", at_least=2)
    assert [event["second_factor"] for event in events] == [None, "totp"]
    assert "wrong_second_factor" in [event["reason"] for event in await auth.events("auth.user.login_failed")]


async def test_concurrent_logins_with_one_code_succeed_once(auth: Any) -> None:
    tokens, secret, recovery_codes = await member_with_factor(auth)
    username = tokens["user"]["username"]
    for entered in (await next_code(auth, secret), recovery_codes[0]):
        challenges = [await challenge(auth, username) for _ in range(4)]
        answers = await asyncio.gather(*(complete(auth, started, entered) for started in challenges))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 3}


@pytest.mark.parametrize("steps", [-3, 3])
async def test_code_of_another_time_is_rejected(auth: Any, steps: int) -> None:
    tokens, secret, _ = await member_with_factor(auth)
    await execute(auth, UNUSED)
    started = await challenge(auth, tokens["user"]["username"])
    assert (await complete(auth, started, code(secret, steps=steps))).status_code == 401


async def test_recovery_code_replaces_a_lost_app_once(auth: Any) -> None:
    tokens, _, (first, second, *_) = await member_with_factor(auth)
    username = tokens["user"]["username"]
    typed = first.replace("-", " ").lower()
    done = await complete(auth, await challenge(auth, username), typed)
    assert done.status_code == 200, done.text
    assert (await auth.event("auth.recovery_code.used"))["remaining"] == 9
    assert (await auth.email("a recovery code was used"))["To"] == tokens["user"]["email"]
    assert (await complete(auth, await challenge(auth, username), first)).status_code == 401
    replaced = await auth.post("/auth/factors/recovery-codes", token=done.json()["access_token"])
    assert (await complete(auth, await challenge(auth, username), second)).status_code == 401
    new = replaced.json()["recovery_codes"][0]
    assert (await complete(auth, await challenge(auth, username), new)).status_code == 200


async def test_browser_completes_its_login_with_cookies(auth: Any) -> None:
    tokens, secret, _ = await member_with_factor(auth)
    body = {"username": tokens["user"]["username"], "password": PASSWORD}
    refused = await auth.post("/auth/session", body)
    assert (refused.status_code, refused.json()["code"]) == (401, "second_factor_required")
    assert "set-cookie" not in refused.headers
    done = await complete(auth, refused.json()["challenge"], await next_code(auth, secret))
    assert done.json()["csrf_token"] == done.cookies["csrf_token"]
    assert "access_token" not in done.json()
    exchanged = await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": done.cookies["session"]})
    assert exchanged.status_code == 200


async def test_every_login_endpoint_asks_for_the_second_factor(auth: Any) -> None:
    admin = await auth.admin_token()
    await set_up(auth, admin)
    tokens, _, _ = await member_with_factor(auth)
    member = {"username": tokens["user"]["username"], "password": PASSWORD}
    form = {"grant_type": "password", **member}
    refusals = [
        await auth.post("/auth/login-json", member),
        await auth.post("/auth/session", member),
        await auth.post("/auth/salesperson", {"email": tokens["user"]["email"], "password": PASSWORD}),
        await auth.post("/auth/admin/login", {"username": "boss", "password": PASSWORD}),
        await auth.call("POST", "/auth/token", data=form),
    ]
    assert [(refusal.status_code, refusal.json()["code"]) for refusal in refusals] == [
        (401, "second_factor_required")
    ] * 5
    assert refusals[-1].json()["error"] == "second_factor_required"
    not_admin = await auth.post("/auth/admin/login", member)
    assert (not_admin.status_code, not_admin.json()["code"]) == (403, "admins_only")


async def test_attacker_with_the_password_can_neither_guess_codes_nor_lock_the_owner_out(auth: Any) -> None:
    tokens, secret, _ = await member_with_factor(auth)
    username = tokens["user"]["username"]
    await complete(auth, await challenge(auth, username), await next_code(auth, secret))  # from the owner's address
    started = await challenge(auth, username, address=ATTACKER)
    for _ in range(5):
        assert (await complete(auth, started, WRONG, address=ATTACKER)).status_code == 401
    blocked = await complete(auth, started, await next_code(auth, secret), address=ATTACKER)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_attempts")
    for number in range(3):  # from further addresses, none of which is known although the password was right
        for _ in range(5):
            address = f"198.51.100.{20 + number}"
            await complete(auth, await challenge(auth, username, address=address), WRONG, address=address)
    fresh = "198.51.100.99"
    elsewhere = await complete(auth, await challenge(auth, username, address=fresh), WRONG, address=fresh)
    assert elsewhere.status_code == 429
    owner = await complete(auth, await challenge(auth, username), await next_code(auth, secret))
    assert owner.status_code == 200, owner.text


async def test_role_can_require_a_second_factor(auth: Any) -> None:
    admin = await auth.admin_token()
    tokens = await auth.member()
    username = tokens["user"]["username"]
    cookie = (await auth.post("/auth/session", {"username": username, "password": PASSWORD})).cookies["session"]
    required = {"second_factor_roles": ["salesperson"]}
    changed = await auth.call("PATCH", "/system-settings", token=admin, json=required)
    assert changed.json()["second_factor_roles"] == ["salesperson"]
    assert (await auth.event("auth.settings.changed"))["second_factor_roles"] == ["salesperson"]
    refreshed = await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "invalid_refresh_token")
    assert (await auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": cookie})).status_code == 401
    login = await auth.post("/auth/login", {"username": username, "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "second_factor_setup_required")
    started = login.json()["challenge"]
    setup = await auth.post("/auth/login/factors", {"challenge": started})
    assert setup.status_code == 201, setup.text
    assert (await complete(auth, started, WRONG)).status_code == 401
    done = (await complete(auth, started, code(setup.json()["secret"]))).json()
    assert len(done["recovery_codes"]) == 10
    assert (await auth.post("/auth/refresh", {"refresh_token": done["refresh_token"]})).status_code == 200
    last = await auth.call("DELETE", f"/auth/factors/{setup.json()['id']}", token=done["access_token"])
    assert (last.status_code, last.json()["code"]) == (409, "factor_required")
    forged = await auth.post("/auth/login/factors", {"challenge": await challenge(auth, username)})
    assert (forged.status_code, forged.json()["code"]) == (401, "invalid_challenge")  # would replace the app


async def test_sensitive_calls_need_a_recent_second_factor(auth: Any, subtests: pytest.Subtests) -> None:
    await auth.register(username="ann")
    token = await auth.admin_token()
    secret, (recovery_code, *_) = await set_up(auth, token)
    other = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/auth/api-keys", {"name": "till"}),
        ("POST", "/auth/invitations", {"role": "salesperson"}),
        ("PATCH", "/users/1", {"role": "manager"}),
        ("PATCH", "/auth/profile", {"email": "new@example.com"}),
        ("POST", "/auth/admin/register", other),
        ("DELETE", "/users/1/factors", None),
        ("POST", "/auth/factors", None),
        ("POST", "/auth/factors/recovery-codes", None),
        ("POST", "/auth/password/change", change),
    ]
    await execute(auth, OLD, timedelta(seconds=601))
    for method, path, body in calls:
        with subtests.test(f"{method} {path} without step-up"):
            refused = await auth.call(method, path, token=token, json=body)
            assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
            assert refused.json()["methods"] == ["code", "passkey"]
    assert (await auth.call("PATCH", "/users/1", token=token, json={"full_name": "Ann"})).status_code == 200
    by_password = await auth.post("/auth/step-up", {"password": PASSWORD}, token=token)
    assert (by_password.status_code, by_password.json()["code"]) == (403, "step_up_required")
    wrong = await auth.post("/auth/step-up", {"code": WRONG}, token=token)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_code")
    for entered, method in ((recovery_code, "recovery_code"), (await next_code(auth, secret), "totp")):
        verified = await auth.post("/auth/step-up", {"code": entered}, token=token)
        assert (verified.status_code, verified.json()["method"]) == (200, method)
    for method, path, body in calls:
        with subtests.test(f"{method} {path} after step-up"):
            assert (await auth.call(method, path, token=token, json=body)).is_success


async def test_users_without_a_second_factor_are_asked_only_before_they_add_one(auth: Any) -> None:
    tokens = await auth.member()
    token = tokens["access_token"]
    await execute(auth, OLD, timedelta(seconds=601))
    assert (await auth.post("/auth/api-keys", {"name": "till"}, token=token)).status_code == 201
    refused = await auth.post("/auth/factors", token=token)
    assert (refused.status_code, refused.json()["methods"]) == (403, ["password"])
    assert (await auth.post("/auth/step-up", {"password": "wrong"}, token=token)).json()["code"] == "wrong_password"
    for body in ({}, {"password": PASSWORD, "code": WRONG}):
        assert (await auth.post("/auth/step-up", body, token=token)).status_code == 422
    assert (await auth.post("/auth/step-up", {"password": PASSWORD}, token=token)).status_code == 200
    await set_up(auth, token)


async def test_app_is_replaced_and_removed(auth: Any) -> None:
    tokens, old_secret, _ = await member_with_factor(auth)
    token, username = tokens["access_token"], tokens["user"]["username"]
    secret, recovery_codes = await set_up(auth, token)
    assert recovery_codes == []  # those of the first setup stay valid
    started = await challenge(auth, username)
    await execute(auth, UNUSED)
    assert (await complete(auth, started, code(old_secret))).status_code == 401
    assert (await complete(auth, started, code(secret))).status_code == 200
    (item,) = (await auth.get("/auth/factors", token=token)).json()["items"]
    assert (await auth.call("DELETE", f"/auth/factors/{item['id']}", token=token)).status_code == 204
    await auth.log_in(username)
    assert (await auth.get("/auth/factors", token=token)).json()["recovery_codes_remaining"] == 0
    assert (await auth.event("auth.factor.removed"))["reason"] == "removed"


async def test_admin_resets_the_factors_of_a_user_who_lost_them(auth: Any) -> None:
    admin = await auth.admin_token()
    tokens, _, _ = await member_with_factor(auth)
    user, token = tokens["user"], tokens["access_token"]
    reset = f"/users/{user['id']}/factors"
    assert (await auth.call("DELETE", reset, token=token)).status_code == 403
    assert (await auth.call("DELETE", reset, token=admin)).status_code == 204
    assert (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 401
    assert (await auth.log_in(user["username"]))["user"]["has_second_factor"] is False
    assert (await auth.event("auth.factor.removed"))["reason"] == "reset"


async def test_secrets_are_stored_encrypted_and_codes_as_digests(auth: Any, another_auth: Any) -> None:
    tokens, secret, recovery_codes = await member_with_factor(auth)
    connection = await asyncpg.connect(auth.app.state.resources.settings.database_url)
    try:
        stored = str(await connection.fetch("SELECT * FROM auth.totp_factor"))
        stored += str(await connection.fetch("SELECT * FROM auth.recovery_code"))
    finally:
        await connection.close()
    assert not any(value in stored for value in (secret, *recovery_codes))
    started = await challenge(auth, tokens["user"]["username"])
    await execute(auth, "DELETE FROM auth.signing_key")
    async with another_auth(secret_key="another-key-of-an-operator-who-lost-the-first") as restarted:
        lost = await complete(restarted, started, code(secret, steps=1))
        assert (lost.status_code, lost.json()["code"]) == (503, "second_factor_unavailable")
