"""Passkeys with a software authenticator: registration, second factor, login without a password, step-up, copies."""

import asyncio
import copy
from collections import Counter
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from stockbuddy.chassis.testing.authenticator import Authenticator, encode

PASSWORD = "violet-Harbour-71"
OLD = "UPDATE auth.login_session SET authenticated_at = authenticated_at - $1, second_factor_at = second_factor_at - $1"


async def register_passkey(auth: Any, token: str, authenticator: Authenticator, name: str = "key ring") -> Any:
    started = (await auth.post("/auth/passkeys/options", token=token)).json()
    body = {"challenge": started["challenge"], "passkey": authenticator.create(started["options"]), "name": name}
    return await auth.post("/auth/passkeys", body, token=token)


async def member_with_passkey(auth: Any, authenticator: Authenticator) -> dict[str, Any]:
    tokens: dict[str, Any] = await auth.member()
    response = await register_passkey(auth, tokens["access_token"], authenticator)
    assert response.status_code == 201, response.text
    return {**tokens, "passkey": response.json()}


async def passkey_login(auth: Any, authenticator: Authenticator, **changes: Any) -> Any:
    started = (await auth.post("/auth/login/passkey/options")).json()
    body = {"challenge": started["challenge"], "passkey": authenticator.get(started["options"], **changes)}
    return await auth.post("/auth/login/passkey", body)


async def second_step(auth: Any, username: str) -> dict[str, Any]:
    """The refusal of the password, with challenge and options."""
    login = await auth.post("/auth/login", {"username": username, "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "second_factor_required")
    refusal: dict[str, Any] = login.json()
    return refusal


async def test_passkey_is_a_second_factor_and_logs_in_alone(auth: Any) -> None:
    key = Authenticator()
    member = await member_with_passkey(auth, key)
    username, created = member["user"]["username"], member["passkey"]
    assert (created["name"], created["is_backed_up"], len(created["recovery_codes"])) == ("key ring", False, 10)
    refusal = await second_step(auth, username)
    body = {"challenge": refusal["challenge"], "passkey": key.get(refusal["passkey_options"])}
    answers = await asyncio.gather(*(auth.post("/auth/login/second-factor", body) for _ in range(3)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 2}
    alone = await passkey_login(auth, key)
    assert alone.status_code == 200, alone.text
    assert alone.json()["user"]["username"] == username
    events = await auth.events("auth.user.logged_in", at_least=3)
    assert [(event["method"], event["second_factor"]) for event in events] == [
        ("password", None),
        ("password", "passkey"),
        ("passkey", "passkey"),
    ]
    (listed,) = (await auth.get("/auth/passkeys", token=alone.json()["access_token"])).json()["items"]
    assert listed["last_used_at"] is not None
    assert "public_key" not in listed


async def test_browser_logs_in_with_a_passkey_and_receives_cookies(auth: Any) -> None:
    key = Authenticator()
    await member_with_passkey(auth, key)
    started = (await auth.post("/auth/login/passkey/options")).json()
    assert (started["options"]["userVerification"], started["options"]["rpId"]) == ("required", "localhost")
    body = {"challenge": started["challenge"], "passkey": key.get(started["options"]), "with_cookie": True}
    done = await auth.post("/auth/login/passkey", body)
    assert done.json()["csrf_token"] == done.cookies["csrf_token"]
    again = await auth.post("/auth/login/passkey", body)
    assert (again.status_code, again.json()["code"]) == (401, "invalid_challenge")


async def test_passkey_without_pin_is_a_second_factor_but_no_replacement_of_the_password(auth: Any) -> None:
    key = Authenticator(verifies_user=False)
    member = await member_with_passkey(auth, key)
    alone = await passkey_login(auth, key)
    assert (alone.status_code, alone.json()["code"]) == (401, "invalid_passkey")
    refusal = await second_step(auth, member["user"]["username"])
    body = {"challenge": refusal["challenge"], "passkey": key.get(refusal["passkey_options"])}
    assert (await auth.post("/auth/login/second-factor", body)).status_code == 200


async def test_copied_passkey_is_disabled_by_its_counter(auth: Any) -> None:
    key = Authenticator()
    member = await member_with_passkey(auth, key)
    stolen = copy.copy(key)
    assert (await passkey_login(auth, key)).status_code == 200
    forged = await passkey_login(auth, copy.copy(stolen), challenge=encode(b"another"))  # counter, but no signature
    assert forged.status_code == 401
    assert (await passkey_login(auth, key)).status_code == 200
    assert (await passkey_login(auth, stolen)).json()["code"] == "invalid_passkey"
    disabled = await auth.event("auth.factor.disabled")
    assert (disabled["kind"], disabled["reason"]) == ("passkey", "copied")
    assert (await auth.email("a passkey was disabled"))["To"] == member["user"]["email"]
    assert (await passkey_login(auth, key)).status_code == 401  # no one knows which of the two is the owner's
    refusal = await second_step(auth, member["user"]["username"])  # the password alone still does not suffice
    assert "passkey_options" not in refusal
    body = {"challenge": refusal["challenge"], "code": member["passkey"]["recovery_codes"][0]}
    tokens = (await auth.post("/auth/login/second-factor", body)).json()
    (listed,) = (await auth.get("/auth/passkeys", token=tokens["access_token"])).json()["items"]
    assert listed["disabled_at"] is not None
    removed = await auth.call("DELETE", f"/auth/passkeys/{listed['id']}", token=tokens["access_token"])
    assert removed.status_code == 204
    await auth.log_in(member["user"]["username"])


async def test_authenticator_without_counter_is_not_mistaken_for_a_copy(auth: Any) -> None:
    key = Authenticator(counts=False)
    await member_with_passkey(auth, key)
    for _ in range(3):
        assert (await passkey_login(auth, key)).status_code == 200


async def test_forged_responses_are_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    key, other = Authenticator(), Authenticator()
    await member_with_passkey(auth, key)
    await member_with_passkey(auth, other)
    started = (await auth.post("/auth/login/passkey/options")).json()
    valid = key.get(started["options"])
    signed_by_other = copy.copy(other)
    signed_by_other.credential_id, signed_by_other.user_handle = key.credential_id, key.user_handle
    elsewhere = copy.copy(key)
    elsewhere.origin = "https://localhost.evil.example"
    cases: dict[str, Any] = {
        "another key": signed_by_other.get(started["options"]),
        "another site": elsewhere.get(started["options"]),
        "another relying party": key.get(started["options"], rp_id="evil.example"),
        "another challenge": key.get(started["options"], challenge=encode(b"another")),
        "another user": key.get(started["options"], user_handle=b"2"),
        "unknown key": Authenticator().get(started["options"]),
        "empty": {},
        "no response": {**valid, "response": None},
        "not base64": {**valid, "rawId": "\u00e4"},
        "number": {**valid, "rawId": 7},
        "truncated": {**valid, "response": {**valid["response"], "authenticatorData": "AAAA"}},
        "garbage": {**valid, "response": {**valid["response"], "clientDataJSON": "AAAA", "signature": ""}},
    }
    for name, passkey in cases.items():
        with subtests.test(name):
            challenge = started["challenge"]
            refused = await auth.post("/auth/login/passkey", {"challenge": challenge, "passkey": passkey})
            assert refused.status_code == 401, refused.text
            assert refused.json()["code"] in ("invalid_passkey", "invalid_challenge")


async def test_passkey_verifies_a_session_again(auth: Any) -> None:
    key = Authenticator()
    token = (await member_with_passkey(auth, key))["access_token"]
    statement = OLD.replace("$1", "$1::interval")
    connection = await asyncpg.connect(auth.app.state.resources.settings.database_url)
    try:
        await connection.execute(statement, timedelta(seconds=601))
    finally:
        await connection.close()
    refused = await auth.post("/auth/api-keys", {"name": "till"}, token=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    started = (await auth.post("/auth/step-up/options", token=token)).json()
    body = {"challenge": started["challenge"], "passkey": key.get(started["options"])}
    other = await auth.member()
    foreign = await auth.post("/auth/step-up", body, token=other["access_token"])
    assert (foreign.status_code, foreign.json()["code"]) == (400, "wrong_passkey")
    started = (await auth.post("/auth/step-up/options", token=token)).json()
    body = {"challenge": started["challenge"], "passkey": key.get(started["options"])}
    verified = await auth.post("/auth/step-up", body, token=token)
    assert (verified.status_code, verified.json()["method"]) == (200, "passkey")
    assert (await auth.post("/auth/api-keys", {"name": "till"}, token=token)).status_code == 201
    methods = [event["method"] for event in await auth.events("auth.session.verified", at_least=2)]
    assert methods == ["passkey", "passkey"]  # by the registration, and again


async def test_registration_is_checked_and_unique(auth: Any, subtests: pytest.Subtests) -> None:
    tokens, other = await auth.member(), await auth.member()
    token, key = tokens["access_token"], Authenticator()
    started = (await auth.post("/auth/passkeys/options", token=token)).json()
    wrong = Authenticator(origin="https://evil.example")
    garbage = {"attestationObject": "AAAA", "clientDataJSON": "e30"}
    cases: dict[str, Any] = {
        "another site": wrong.create(started["options"]),
        "another challenge": key.create({**started["options"], "challenge": encode(b"another")}),
        "empty": {},
        "garbage": {**Authenticator().create(started["options"]), "response": garbage},
    }
    for name, passkey in cases.items():
        with subtests.test(name):
            begun = (await auth.post("/auth/passkeys/options", token=token)).json()
            body = {"challenge": begun["challenge"], "passkey": passkey, "name": "x"}
            refused = await auth.post("/auth/passkeys", body, token=token)
            assert (refused.status_code, refused.json()["code"]) == (400, "wrong_passkey")
    assert (await auth.get("/auth/profile", token=token)).json()["has_second_factor"] is False
    first = await register_passkey(auth, token, key)
    assert first.status_code == 201, first.text
    twice = await register_passkey(auth, other["access_token"], key)
    assert (twice.status_code, twice.json()["code"]) == (409, "passkey_exists")
    options = (await auth.post("/auth/passkeys/options", token=token)).json()["options"]
    assert [item["id"] for item in options["excludeCredentials"]] == [encode(key.credential_id)]
    assert options["excludeCredentials"][0]["transports"] == ["usb"]
    foreign = await auth.call("DELETE", f"/auth/passkeys/{first.json()['id']}", token=other["access_token"])
    assert foreign.status_code == 404


async def test_passkeys_belong_to_the_public_url(another_auth: Any) -> None:
    async with another_auth(public_url="https://shop.example.com/app/") as auth:
        token = (await auth.member())["access_token"]
        assert (await register_passkey(auth, token, Authenticator())).status_code == 400
        key = Authenticator(origin="https://shop.example.com")
        assert (await register_passkey(auth, token, key)).status_code == 201
        assert (await passkey_login(auth, key)).status_code == 200
