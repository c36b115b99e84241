"""The queue of account e-mails: what cannot be written or sent is set aside with its reason, and the others leave."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from aiosmtpd.controller import Controller

from stockbuddy.local_servers.ports import free_port

DUE = "UPDATE auth.queued_email SET next_attempt_at = now() WHERE failed_at IS NULL"
EXPIRED = "UPDATE auth.queued_email SET next_attempt_at = now(), queued_at = queued_at - interval '2 days'"
UNMAILABLE = "UPDATE auth.user_account SET email = $1 WHERE username = 'ann'"


@dataclass
class MailServer:
    """Accepts e-mails, or responds to recipients as set."""

    port: int
    responses: dict[str, str] = field(default_factory=dict)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        _, _, envelope, address, _ = call
        response = self.responses.get(address, "250 OK")
        if response.startswith("250"):
            envelope.rcpt_tos.append(address)
        return response

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802 - as above
        self.recipients += call[2].rcpt_tos
        return "250 accepted"


@pytest.fixture
def mail_server() -> MailServer:
    return MailServer(free_port())


@pytest.fixture
async def mailing(another_auth: Any, mail_server: MailServer) -> AsyncIterator[Any]:
    """Auth with a mail server."""
    controller = Controller(mail_server, hostname="127.0.0.1", port=mail_server.port, enable_SMTPUTF8=False)
    controller.start()
    try:
        async with another_auth(smtp_url=f"smtp://127.0.0.1:{mail_server.port}") as running:
            yield running
    finally:
        controller.stop()


async def execute(auth: Any, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(auth.app.state.resources.settings.database_url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def emails(auth: Any, token: str, *, until: Any) -> list[dict[str, Any]]:
    """The unsent e-mails, once `until` holds for them."""
    async with asyncio.timeout(60):
        while not until(items := (await auth.get("/auth/emails", token=token)).json()["items"]):
            await asyncio.sleep(0.05)
    result: list[dict[str, Any]] = items
    return result


async def until_received(server: MailServer, recipient: str) -> None:
    async with asyncio.timeout(60):
        while recipient not in server.recipients:
            await asyncio.sleep(0.02)


async def test_rejected_email_is_set_aside_with_reason_and_retried_by_an_admin(
    mailing: Any, mail_server: MailServer
) -> None:
    admin = await mailing.admin_token()
    mail_server.responses["ann@example.com"] = "550 no such user"
    await mailing.register(username="ann", email="ann@example.com")
    await mailing.register(username="bob", email="bob@example.com")
    await until_received(mail_server, "bob@example.com")
    (failed,) = await emails(mailing, admin, until=lambda items: items and items[0]["failed_at"])
    assert (failed["kind"], failed["recipient"]) == ("email_confirmation", "ann@example.com")
    assert (failed["last_error"], failed["next_attempt_at"]) == ("550 no such user", None)
    event = await mailing.event("auth.email.failed")
    assert (event["recipient"], event["reason"], event["attempts"]) == ("ann@example.com", "550 no such user", 1)
    del mail_server.responses["ann@example.com"]
    retry = f"/auth/emails/{failed['id']}/retry"
    assert (await mailing.post(retry, token=(await mailing.log_in("bob"))["access_token"])).status_code == 403
    assert (await mailing.post(retry, token=admin)).status_code == 200
    await emails(mailing, admin, until=lambda items: not items)
    assert (await mailing.post(retry, token=admin)).status_code == 404


async def test_email_that_cannot_be_written_does_not_block_the_queue(mailing: Any, mail_server: MailServer) -> None:
    admin = await mailing.admin_token()
    await mailing.register(username="ann", email="ann@example.com")
    await until_received(mail_server, "ann@example.com")
    await execute(mailing, UNMAILABLE, "jösé@example.com")  # stored by an earlier release
    await mailing.post("/auth/password/forgot", {"email": "jösé@example.com"})
    await mailing.register(username="bob", email="bob@example.com")
    await until_received(mail_server, "bob@example.com")
    (failed,) = await emails(mailing, admin, until=lambda items: items and items[0]["failed_at"])
    assert "SMTPUTF8" in failed["last_error"]


async def test_greylisted_email_waits_and_is_set_aside_after_a_day(mailing: Any, mail_server: MailServer) -> None:
    admin = await mailing.admin_token()
    mail_server.responses["ann@example.com"] = "450 greylisted"
    await mailing.register(username="ann", email="ann@example.com")
    (waiting,) = await emails(mailing, admin, until=lambda items: items and items[0]["last_error"])
    assert (waiting["last_error"], waiting["failed_at"]) == ("450 greylisted", None)
    await execute(mailing, EXPIRED)
    await emails(mailing, admin, until=lambda items: items and items[0]["failed_at"])
    assert (await mailing.event("auth.email.failed"))["reason"] == "450 greylisted"


async def test_outage_of_the_mail_server_is_published_once_and_ends(another_auth: Any, mail_server: MailServer) -> None:
    async with another_auth(smtp_url=f"smtp://127.0.0.1:{mail_server.port}") as auth:
        admin = await auth.admin_token()
        await auth.register(username="ann", email="ann@example.com")
        waiting = await emails(auth, admin, until=lambda items: all(item["last_error"] for item in items))
        assert {item["recipient"] for item in waiting} == {"ann@example.com", "boss@example.com"}
        assert "Error connecting" in (await auth.event("auth.email.delayed"))["reason"]
        controller = Controller(mail_server, hostname="127.0.0.1", port=mail_server.port)
        controller.start()
        try:
            await execute(auth, DUE)
            await emails(auth, admin, until=lambda items: not items)
        finally:
            controller.stop()
    assert sorted(mail_server.recipients) == ["ann@example.com", "boss@example.com"]


@pytest.mark.parametrize("address", ["ö" * 33 + "@example.com", "ann@" + "ü" * 60 + ".example", "ann@[127.0.0.1]"])
async def test_address_that_can_never_receive_an_email_is_rejected(auth: Any, address: str) -> None:
    body = {"username": "ann", "email": address, "password": "violet-Harbour-71"}
    response = await auth.post("/auth/register", body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["email"]
