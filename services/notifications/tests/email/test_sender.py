"""Mail over SMTP, to a real server: once for each event and recipient, whatever becomes of the server meanwhile."""

import asyncio
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import SettingsChanged, UserUpdated
from stockbuddy.contracts.stock import LevelLow


@pytest.fixture
def options(mail_server: Any) -> dict[str, Any]:
    return {"smtp_url": mail_server.url, "mail_from": "Shop <shop@example.com>"}


async def want_mail(
    client: AsyncClient, issuer: TestIssuer, user_id: int, role: Role, kind: str = "low_stock", *, wanted: bool = True
) -> None:
    headers = issuer.headers(user_id, role)
    answer = await client.put("/notification-preferences", json={kind: {"email": wanted}}, headers=headers)
    assert answer.status_code == 200


async def change_settings(service: Any, alert_emails: list[str], company_name: str = "Corner Shop") -> None:
    await service.say(
        SettingsChanged(
            version=1,
            company_name=company_name,
            currency="EUR",
            timezone="UTC",
            registration_open=True,
            default_low_stock_threshold=Decimal(5),
            alert_emails=alert_emails,
            negative_stock="reject",
        )
    )


def parts(message: EmailMessage) -> tuple[str, str]:
    """Its text and its HTML."""
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


async def test_an_alert_goes_to_managers_and_admins_who_want_mail_and_to_the_settings_addresses(
    client: AsyncClient, issuer: TestIssuer, service: Any, samples: Any, mail_server: Any
) -> None:
    await change_settings(service, alert_emails=["boss@example.com", "USER9@example.com"])
    await service.say(samples.user(9), samples.user(10), samples.user(11, role="salesperson"))
    await want_mail(client, issuer, 10, Role.MANAGER, wanted=False)
    await want_mail(client, issuer, 11, Role.SALESPERSON)
    await service.say(samples.product(name="Tea <pot>"), samples.crossing(LevelLow))
    await mail_server.wait_for(2)
    assert sorted(address.lower() for address in mail_server.recipients) == ["boss@example.com", "user9@example.com"]
    message = mail_server.received[0]
    assert message["Subject"] == "[Corner Shop] Low stock: Tea <pot> (SKU-42)"
    assert message["From"] == "Shop <shop@example.com>"
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = parts(message)
    assert "3 left in warehouse 1. The limit is 5." in text
    assert "Tea &lt;pot&gt;" in html
    assert "<pot>" not in html


async def test_one_event_is_mailed_once_however_often_it_comes(service: Any, samples: Any, mail_server: Any) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    sent = await service.say(samples.crossing(LevelLow, 1))
    await mail_server.wait_for(1)
    await service.bus.publish(sent)
    await service.say(samples.crossing(LevelLow, 2))
    messages = await mail_server.wait_for(2)
    assert [str(message["Subject"]) for message in messages] == [
        "[Corner Shop] Low stock: SKU-1",
        "[Corner Shop] Low stock: SKU-2",
    ]


async def test_nothing_is_lost_while_the_server_is_away(service: Any, samples: Any, mail_server: Any) -> None:
    await change_settings(service, alert_emails=["boss@example.com", "deputy@example.com"])
    await mail_server.stop()
    await service.say(samples.crossing(LevelLow))
    await asyncio.sleep(1.5)
    await mail_server.start()
    await mail_server.wait_for(2)
    assert sorted(mail_server.recipients) == ["boss@example.com", "deputy@example.com"]


async def test_nothing_is_lost_when_the_service_restarts(
    start: Any, samples: Any, mail_server: Any, settings: Any
) -> None:
    first = await start()
    await change_settings(first, alert_emails=["boss@example.com"])
    await mail_server.stop()
    await first.say(samples.crossing(LevelLow))
    await mail_server.start()
    await start()
    await mail_server.wait_for(1)


async def test_what_waits_together_goes_together(service: Any, samples: Any, mail_server: Any) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    await mail_server.stop()
    await service.say(*(samples.crossing(LevelLow, number) for number in range(1, 8)))
    await mail_server.start()
    [message] = await mail_server.wait_for(1)
    assert message["Subject"] == "[Corner Shop] Low stock: SKU-1 (and 6 more)"
    text, html = parts(message)
    for number in range(1, 8):
        assert f"Low stock: SKU-{number}" in text
        assert f"Low stock: SKU-{number}" in html


async def test_a_passing_refusal_is_tried_again_as_the_same_message(
    service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.answers_to_data = ["451 try again later"]
    await change_settings(service, alert_emails=["boss@example.com"])
    await service.say(samples.crossing(LevelLow))
    await hurry(database_url, until)
    await mail_server.wait_for(1)
    assert await states(database_url) == {"sent": 1}


async def test_a_refused_recipient_does_not_hold_up_the_others(
    service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.answers_to_recipient = {"gone@example.com": ["550 no such user"]}
    await change_settings(service, alert_emails=["gone@example.com", "boss@example.com", "no address at all"])
    await service.say(samples.crossing(LevelLow))
    await mail_server.wait_for(1)
    assert mail_server.recipients == ["boss@example.com"]

    async def settled() -> bool:
        return await states(database_url) == {"sent": 1, "failed": 2}

    await until(settled)


async def test_after_a_doubtful_end_the_same_message_id_tells_mailboxes_that_it_is_one(
    service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.breaks_after_data = 1
    await change_settings(service, alert_emails=["boss@example.com"])
    await service.say(samples.crossing(LevelLow))
    await hurry(database_url, until)
    first, second = await mail_server.wait_for(2)
    assert first["Message-ID"] == second["Message-ID"]


async def test_announcements_go_to_those_of_the_audience_who_want_mail(
    admin: AsyncClient, issuer: TestIssuer, service: Any, samples: Any, mail_server: Any
) -> None:
    await service.say(samples.user(9), samples.user(10), samples.user(11, role="salesperson"), samples.user(12))
    for user_id in (9, 11, 12):
        await want_mail(admin, issuer, user_id, Role.MANAGER, "announcement")
    gone = samples.user(12, UserUpdated, version=2, is_active=False)
    await service.say(gone)
    await admin.post("/notifications", json={"title": "Closed\r\nBcc: x@example.com", "role": "manager"})
    [message] = await mail_server.wait_for(1)
    assert mail_server.recipients == ["user9@example.com"]
    assert message["Subject"] == "[Stockbuddy] Closed Bcc: x@example.com"
    assert message["Bcc"] is None


async def states(database_url: str) -> dict[str, int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT state, count(*) FROM notifications.mail GROUP BY state")
        return {row["state"]: row["count"] for row in rows}
    finally:
        await connection.close()


async def hurry(database_url: str, until: Any) -> None:
    """Once a first attempt has failed, have the pause after it be over."""
    connection = await asyncpg.connect(database_url)
    try:

        async def shortened() -> bool:
            status: str = await connection.execute(
                "UPDATE notifications.mail SET next_attempt_at = now()"
                " WHERE last_error IS NOT NULL AND state = 'pending'"
            )
            return status != "UPDATE 0"

        await until(shortened)
    finally:
        await connection.close()
