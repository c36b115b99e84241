"""Password policy, change of passwords, and reset by e-mail."""

import asyncio
import email
import re
import stat
from collections import Counter
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from stockbuddy.contracts.internal import REVOCATIONS_PATH
from stockbuddy.local_servers.ports import free_port

PASSWORD = "violet-Harbour-71"
NEW = "amber-Lantern-58"


async def test_common_password_is_rejected_with_reason(auth: Any, subtests: pytest.Subtests) -> None:
    for password in [
        "password",
        "12345678",
        "password123",
        "liverpool1892",  # more than a million guesses, but published by a breach
        "qwertyuiop",
        "Passw0rd!",
        "iloveyou",
        "aaaaaaaaaaaa",
        "stockbuddy1",
    ]:
        with subtests.test(password=password):
            body = {"username": "johndoe", "email": "john@example.com", "password": password}
            response = await auth.post("/auth/register", body)
            assert response.status_code == 422
            (error,) = response.json()["errors"]
            assert error["field"] == "password"
            assert error["message"].startswith("is too easy to guess")


async def test_password_from_personal_data_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    for password in ["johndoe99", "JohnDoe-1", "maximilian", "john@example.com"]:
        with subtests.test(password=password):
            body = {"username": "johndoe", "email": "john@example.com", "password": password, "full_name": "Maximilian"}
            assert (await auth.post("/auth/register", body)).status_code == 422


async def test_strong_password_of_any_characters_is_accepted(auth: Any, subtests: pytest.Subtests) -> None:
    for password in ["securepassword123", PASSWORD, "correct horse battery staple", "pässwörter-mögen-wir" * 6]:
        with subtests.test(password=password):
            user = await auth.register(password=password)
            await auth.log_in(user["username"], password)


async def test_password_change_revokes_all_sessions_and_returns_new_tokens(auth: Any) -> None:
    user = await auth.register()
    here, elsewhere = await auth.log_in(user["username"]), await auth.log_in(user["username"])
    change = {"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW}
    response = await auth.post("/auth/password/change", change, token=here["access_token"])
    assert response.status_code == 200, response.text
    tokens = response.json()
    assert (await auth.get("/auth/profile", token=tokens["access_token"])).json().items() >= user.items()
    revoked = (await auth.get(REVOCATIONS_PATH)).json()["session_ids"]
    assert sorted(revoked) == sorted([auth.claims(here)["sid"], auth.claims(elsewhere)["sid"]])
    for old in (here, elsewhere):
        assert (await auth.post("/auth/refresh", {"refresh_token": old["refresh_token"]})).status_code == 401
    assert (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 200
    assert (await auth.post("/auth/login", {"username": user["username"], "password": PASSWORD})).status_code == 401
    await auth.log_in(user["username"], NEW)
    changed = await auth.event("auth.user.password_changed")
    assert (changed["user_id"], changed["method"]) == (user["id"], "change")


async def test_invalid_password_change_has_no_effect(auth: Any, subtests: pytest.Subtests) -> None:
    tokens = await auth.member()
    for change, status, code, field in [
        ({"old_password": "wrong-Harbour-71"}, 400, "wrong_password", None),
        ({"confirm_password": NEW + "x"}, 422, "validation_error", "confirm_password"),
        ({"new_password": PASSWORD, "confirm_password": PASSWORD}, 422, "validation_error", "new_password"),
        ({"new_password": "password1", "confirm_password": "password1"}, 422, "validation_error", "new_password"),
        ({"new_password": "short", "confirm_password": "short"}, 422, "validation_error", "new_password"),
    ]:
        with subtests.test(change=change, status=status, code=code, field=field):
            body = {"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW, **change}
            response = await auth.post("/auth/password/change", body, token=tokens["access_token"])
            assert (response.status_code, response.json()["code"]) == (status, code)
            assert [error["field"] for error in response.json().get("errors", [])] == ([field] if field else [])
    await auth.log_in(tokens["user"]["username"])
    assert (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 200


async def test_password_guesses_in_open_session_are_throttled(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    body = {"old_password": "wrong", "new_password": NEW, "confirm_password": NEW}
    answers = [await auth.post("/auth/password/change", body, token=token) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 2


async def test_password_change_without_credentials_is_rejected(auth: Any) -> None:
    body = {"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW}
    assert (await auth.post("/auth/password/change", body)).status_code == 401


@pytest.fixture
async def forgetful(another_auth: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """Auth without an SMTP server: its e-mails are files in `emails`."""
    async with another_auth() as running:
        running.emails = tmp_path / "outbox"
        yield running


async def received(directory: Path, subject: str) -> EmailMessage:
    """The e-mail with `subject` in its subject; waits for it and removes it."""
    async with asyncio.timeout(60):
        while True:
            for path in directory.glob("*.eml"):
                message = email.message_from_bytes(path.read_bytes(), policy=default)
                if subject in str(message["Subject"]):
                    path.unlink()
                    return message
            await asyncio.sleep(0.05)


def token_in(message: EmailMessage) -> str:
    found = re.search(r"^([\w-]{43})\r?$", message.get_content(), re.MULTILINE)
    assert found, message.get_content()
    return found[1]


async def test_password_reset_works_once_and_revokes_all_sessions(forgetful: Any) -> None:
    tokens = await forgetful.member()
    user = tokens["user"]
    requested = await forgetful.post("/auth/password/forgot", {"email": user["email"].upper()})
    assert requested.status_code == 202
    message = await received(forgetful.emails, "a new password")
    assert message["To"].lower() == user["email"]
    reset = {"token": token_in(message), "new_password": NEW, "confirm_password": NEW}
    weak = {**reset, "new_password": "password1", "confirm_password": "password1"}
    assert (await forgetful.post("/auth/password/reset", weak)).status_code == 422
    assert (await forgetful.post("/auth/password/reset", {**reset, "confirm_password": "x"})).status_code == 422
    assert (await forgetful.post("/auth/password/reset", reset)).status_code == 204
    again = await forgetful.post("/auth/password/reset", reset)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_reset_token")
    assert (await forgetful.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 401
    await forgetful.log_in(user["username"], NEW)
    notice = await received(forgetful.emails, "your password was changed")
    assert notice["To"] == user["email"]
    changed = await forgetful.event("auth.user.password_changed")
    assert (changed["user_id"], changed["method"]) == (user["id"], "reset")


async def test_concurrent_resets_with_one_token_succeed_once(forgetful: Any) -> None:
    user = await forgetful.register()
    await forgetful.post("/auth/password/forgot", {"email": user["email"]})
    token = token_in(await received(forgetful.emails, "a new password"))
    passwords = [f"{NEW}-{number}" for number in range(5)]
    answers = await asyncio.gather(
        *(
            forgetful.post("/auth/password/reset", {"token": token, "new_password": each, "confirm_password": each})
            for each in passwords
        )
    )
    assert Counter(answer.status_code for answer in answers) == {204: 1, 400: 4}


async def test_reset_request_for_unknown_address_gets_same_response_and_no_email(forgetful: Any) -> None:
    user = await forgetful.register()
    known = await forgetful.post("/auth/password/forgot", {"email": user["email"]})
    unknown = await forgetful.post("/auth/password/forgot", {"email": "unknown@example.com"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    await received(forgetful.emails, "a new password")
    await forgetful.events("auth.password_reset.requested", at_least=2)
    # E-mails are sent in order, so an e-mail to the unknown address would have been sent before this one.
    token = (await forgetful.log_in(user["username"]))["access_token"]
    change = {"email": "new@example.com", "password": PASSWORD}
    await forgetful.call("PATCH", "/auth/profile", token=token, json=change)
    assert (await received(forgetful.emails, "your address is to be changed"))["To"] == user["email"]
    assert (await received(forgetful.emails, "confirm your address"))["To"] == "new@example.com"
    assert list(forgetful.emails.iterdir()) == []


async def test_repeated_reset_requests_send_one_email(forgetful: Any) -> None:
    user = await forgetful.register()
    for _ in range(5):
        assert (await forgetful.post("/auth/password/forgot", {"email": user["email"]})).status_code == 202
    await received(forgetful.emails, "a new password")
    for _ in range(5):
        assert (await forgetful.post("/auth/password/forgot", {"email": user["email"]})).status_code == 202
    token = (await forgetful.log_in(user["username"]))["access_token"]
    change = {"email": "new@example.com", "password": PASSWORD}
    await forgetful.call("PATCH", "/auth/profile", token=token, json=change)
    await received(forgetful.emails, "your address is to be changed")
    await received(forgetful.emails, "confirm your address")
    assert list(forgetful.emails.iterdir()) == []


async def test_email_files_are_readable_by_owner_only(forgetful: Any) -> None:
    user = await forgetful.register()
    await forgetful.post("/auth/password/forgot", {"email": user["email"]})
    async with asyncio.timeout(60):
        while not (found := list(forgetful.emails.glob("*.eml"))):
            await asyncio.sleep(0.05)
    assert stat.S_IMODE(found[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(forgetful.emails.stat().st_mode) == 0o700


async def test_reset_with_unknown_token_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    for token in ["x", "x" * 43, "\x00"]:
        with subtests.test(token=token):
            body = {"token": token, "new_password": NEW, "confirm_password": NEW}
            response = await auth.post("/auth/password/reset", body)
            assert (response.status_code, response.json()["code"]) == (400, "invalid_reset_token")


async def test_password_reset_ends_lockout(forgetful: Any) -> None:
    user = await forgetful.register()
    for _ in range(5):
        await forgetful.post("/auth/login", {"username": user["username"], "password": "wrong"})
    locked = await forgetful.post("/auth/login", {"username": user["username"], "password": PASSWORD})
    assert locked.status_code == 429
    await forgetful.post("/auth/password/forgot", {"email": user["email"]})
    token = token_in(await received(forgetful.emails, "a new password"))
    reset = {"token": token, "new_password": NEW, "confirm_password": NEW}
    assert (await forgetful.post("/auth/password/reset", reset)).status_code == 204
    await forgetful.log_in(user["username"], NEW)


class Inbox:
    """An SMTP server that accepts every e-mail after `refusals` temporary errors."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.emails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.emails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 accepted"


async def test_emails_are_sent_to_smtp_server(another_auth: Any) -> None:
    inbox = Inbox(refusals=0)
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        settings = {
            "smtp_url": f"smtp://127.0.0.1:{controller.port}",
            "mail_from": "Shop <shop@example.com>",
            "password_reset_url": "https://shop.example/reset?token={token}",
        }
        async with another_auth(**settings) as running:
            user = await running.register(full_name="Ann Lee")
            await running.post("/auth/password/forgot", {"email": user["email"]})
            async with asyncio.timeout(60):
                while len(inbox.emails) < 2:
                    await asyncio.sleep(0.05)
    finally:
        controller.stop()
    (message,) = [message for message in inbox.emails if "a new password" in message["Subject"]]
    assert (message["From"], message["To"]) == ("Shop <shop@example.com>", user["email"])
    assert re.search(r"https://shop\.example/reset\?token=[\w-]{43}\b", message.get_content())
