"""Confirmation and change of e-mail addresses: with the password, a token sent to the new address, and a notice to the
old one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "violet-Harbour-71"
NEW_PASSWORD = "amber-Lantern-58"
NEW_ADDRESS = "new@example.com"


async def change(auth: Any, token: str, **fields: Any) -> Any:
    return await auth.call("PATCH", "/auth/profile", token=token, json={"email": NEW_ADDRESS, **fields})


async def confirm(auth: Any, token: str) -> Any:
    return await auth.post("/auth/email/confirm", {"token": token})


async def test_address_changes_when_the_new_one_is_confirmed(auth: Any) -> None:
    tokens = await auth.member()
    token, old = tokens["access_token"], tokens["user"]["email"]
    started = await change(auth, token, password=PASSWORD, full_name="Ann")
    assert started.status_code == 200, started.text
    assert (started.json()["email"], started.json()["pending_email"]) == (old, NEW_ADDRESS)
    notice = await auth.email("your address is to be changed")
    assert notice["To"] == old
    message = await auth.email("confirm your address")
    assert message["To"] == NEW_ADDRESS
    assert (await auth.post("/auth/login", {"username": NEW_ADDRESS, "password": PASSWORD})).status_code == 401
    confirmation = auth.token_in(message)
    assert (await confirm(auth, confirmation)).status_code == 204
    profile = (await auth.get("/auth/profile", token=token)).json()
    assert (profile["email"], profile["pending_email"], profile["email_confirmed"]) == (NEW_ADDRESS, None, True)
    assert (await auth.email("your address was changed"))["To"] == old
    again = await confirm(auth, confirmation)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_confirmation_token")
    await auth.events("auth.user.updated", at_least=2)


async def test_stolen_access_token_cannot_change_the_address(auth: Any, subtests: pytest.Subtests) -> None:
    token = (await auth.member())["access_token"]
    attempts: list[tuple[dict[str, Any], int, str]] = [
        ({}, 422, "validation_error"),
        ({"password": None}, 422, "validation_error"),
        ({"password": "wrong"}, 400, "wrong_password"),
    ]
    for body, status, code in attempts:
        with subtests.test(body=body):
            refused = await change(auth, token, **body)
            assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await auth.get("/auth/profile", token=token)).json()["pending_email"] is None


async def test_password_change_cancels_a_change_of_address(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    await change(auth, token, password=PASSWORD)
    confirmation = auth.token_in(await auth.email("confirm your address"))
    body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    assert (await auth.post("/auth/password/change", body, token=token)).status_code == 200
    assert (await confirm(auth, confirmation)).status_code == 400


async def test_address_registered_meanwhile_is_not_taken_over(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    await change(auth, token, password=PASSWORD)
    confirmation = auth.token_in(await auth.email("confirm your address"))
    await auth.register(email=NEW_ADDRESS)
    refused = await confirm(auth, confirmation)
    assert (refused.status_code, refused.json()["code"]) == (409, "email_taken")


async def test_concurrent_confirmations_succeed_once(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    await change(auth, token, password=PASSWORD)
    confirmation = auth.token_in(await auth.email("confirm your address"))
    answers = await asyncio.gather(*(confirm(auth, confirmation) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400, 400]


async def test_new_user_confirms_own_address_by_token_or_password_reset(auth: Any) -> None:
    for name, by_reset in (("ann", False), ("bob", True)):
        user = await auth.register(username=name, email=f"{name}@example.com")
        assert user["email_confirmed"] is False
        if by_reset:
            await auth.post("/auth/password/forgot", {"email": user["email"]})
            token = auth.token_in(await auth.email("a new password"))
            body = {"token": token, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
            assert (await auth.post("/auth/password/reset", body)).status_code == 204
            tokens = await auth.log_in(name, NEW_PASSWORD)
        else:
            tokens = await auth.log_in(name)
            same = {"email": user["email"], "password": PASSWORD}
            assert (await change(auth, tokens["access_token"], **same)).status_code == 200
            assert (await confirm(auth, auth.token_in(await auth.email("confirm your address")))).status_code == 204
        profile = (await auth.get("/auth/profile", token=tokens["access_token"])).json()
        assert profile["email_confirmed"] is True


async def test_password_change_and_reset_revoke_api_keys_on_request(auth: Any) -> None:
    user = await auth.register()
    token = (await auth.log_in(user["username"]))["access_token"]
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    await auth.post("/auth/api-keys", {"name": "kept"}, token=token)
    token = (await auth.post("/auth/password/change", change, token=token)).json()["access_token"]
    assert (await auth.get("/auth/api-keys", token=token)).json()["total"] == 1
    await auth.post("/auth/password/forgot", {"email": user["email"]})
    reset = {"token": auth.token_in(await auth.email("a new password"))}
    reset |= {"new_password": PASSWORD, "confirm_password": PASSWORD, "revoke_api_keys": True}
    assert (await auth.post("/auth/password/reset", reset)).status_code == 204
    token = (await auth.log_in(user["username"]))["access_token"]
    assert (await auth.get("/auth/api-keys", token=token)).json()["total"] == 0
    await auth.post("/auth/api-keys", {"name": "revoked"}, token=token)
    changed = await auth.post("/auth/password/change", {**change, "revoke_api_keys": True}, token=token)
    token = changed.json()["access_token"]
    assert (await auth.get("/auth/api-keys", token=token)).json()["total"] == 0
    reasons = [event["reason"] for event in await auth.events("auth.api_key.revoked", at_least=2)]
    assert reasons == ["password_changed"] * 2


async def test_account_emails_contain_no_text_of_the_user(auth: Any, tmp_path: Path) -> None:
    bait = "WIN 1000 EUR at evil.example"
    user = await auth.register(username="evil.example", full_name=bait)
    await auth.post("/auth/password/forgot", {"email": user["email"]})
    tokens = await auth.log_in("evil.example")
    await change(auth, tokens["access_token"], password=PASSWORD)
    for subject in ("a new password", "confirm your address", "your address is to be changed"):
        assert "evil" not in str(await auth.email(subject))
