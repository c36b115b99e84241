"""E-mails over SMTP to a real server: one per event and recipient, also after failures of the server."""

import asyncio
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import SettingsChanged, UserUpdated
from stockbuddy.contracts.stock import LevelDepleted, LevelLow


@pytest.fixture
def options(mail_server: Any) -> dict[str, Any]:
    return {"smtp_url": mail_server.url, "mail_from": "Shop <shop@example.com>"}


async def set_email_preference(
    client: AsyncClient, issuer: TestIssuer, user_id: int, role: Role, kind: str = "low_stock", *, wanted: bool = True
) -> None:
    headers = issuer.headers(user_id, role)
    response = await client.put("/notification-preferences", json={kind: {"email": wanted}}, headers=headers)
    assert response.status_code == 200


async def change_settings(service: Any, alert_emails: list[str], company_name: str = "Corner Shop") -> None:
    await service.publish(
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
    """Text and HTML of a message."""
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


async def test_alert_is_sent_by_preference_and_to_alert_addresses(
    client: AsyncClient, issuer: TestIssuer, service: Any, samples: Any, mail_server: Any
) -> None:
    await change_settings(service, alert_emails=["boss@example.com", "USER9@example.com"])
    await service.publish(samples.user(9), samples.user(10), samples.user(11, role="salesperson"))
    await service.publish(samples.user(12, email="stranger@example.com", email_confirmed=False))
    await set_email_preference(client, issuer, 10, Role.MANAGER, wanted=False)
    await set_email_preference(client, issuer, 11, Role.SALESPERSON)
    await service.publish(samples.product(name="Tea <pot>"), samples.crossing(LevelLow))
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


async def test_redelivered_event_is_sent_once(service: Any, samples: Any, mail_server: Any) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    sent = await service.publish(samples.crossing(LevelLow, 1))
    await mail_server.wait_for(1)
    await service.deliver(sent)
    await service.publish(samples.crossing(LevelDepleted, 2))
    messages = await mail_server.wait_for(2)
    assert [str(message["Subject"]) for message in messages] == [
        "[Corner Shop] Low stock: SKU-1",
        "[Corner Shop] Out of stock: SKU-2",
    ]


async def test_frequent_events_become_few_messages(
    service: Any, samples: Any, mail_server: Any, database_url: str
) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    await service.publish(samples.crossing(LevelLow, 1))
    await mail_server.wait_for(1)
    await service.publish(samples.crossing(LevelDepleted, 9))  # another kind is not delayed
    await mail_server.wait_for(2)
    for number in range(2, 6):
        await service.publish(samples.crossing(LevelLow, number))
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    waiting = "state = 'pending' AND next_attempt_at > now() + interval '4 minutes'"
    assert await connection.fetchval(f"SELECT count(*) FROM queued_email WHERE {waiting}") == 4
    await connection.execute("""
        UPDATE queued_email SET next_attempt_at = now()
        WHERE id = (SELECT min(id) FROM queued_email WHERE state = 'pending' AND message_id IS NULL)
    """)
    await connection.close()
    _, _, message = await mail_server.wait_for(3)
    assert message["Subject"] == "[Corner Shop] Low stock: SKU-2 (and 3 more)"


async def test_name_of_several_lines_is_one_line_of_the_text(service: Any, samples: Any, mail_server: Any) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    name = "Tea\r\nBcc: x@example.com\n\nYour account is locked."
    await service.publish(samples.product(name=name), samples.crossing(LevelLow))
    (message,) = await mail_server.wait_for(1)
    text, html = parts(message)
    for part in (text, html):
        assert "Low stock: Tea Bcc: x@example.com Your account is locked. (SKU-42)" in part


async def test_emails_are_sent_after_the_smtp_server_was_unavailable(
    service: Any, samples: Any, mail_server: Any
) -> None:
    await change_settings(service, alert_emails=["boss@example.com", "deputy@example.com"])
    await mail_server.stop()
    await mail_server.refuse()
    await service.publish(samples.crossing(LevelLow))
    async with asyncio.timeout(60):
        await mail_server.has_refused.wait()
    await mail_server.stop()
    await mail_server.start()
    await mail_server.wait_for(2)
    assert sorted(mail_server.recipients) == ["boss@example.com", "deputy@example.com"]


async def test_emails_are_sent_after_a_restart(start: Any, samples: Any, mail_server: Any, settings: Any) -> None:
    first = await start()
    await change_settings(first, alert_emails=["boss@example.com"])
    await mail_server.stop()
    await first.publish(samples.crossing(LevelLow))
    await mail_server.start()
    await start()
    await mail_server.wait_for(1)


async def test_queued_emails_of_one_recipient_are_sent_as_one_message(
    service: Any, samples: Any, mail_server: Any
) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    await mail_server.stop()
    await service.publish(*(samples.crossing(LevelLow, number) for number in range(1, 8)))
    await mail_server.start()
    [message] = await mail_server.wait_for(1)
    assert message["Subject"] == "[Corner Shop] Low stock: SKU-1 (and 6 more)"
    text, html = parts(message)
    for number in range(1, 8):
        assert f"Low stock: SKU-{number}" in text
        assert f"Low stock: SKU-{number}" in html


async def test_temporarily_rejected_email_is_retried(
    service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.responses_to_data = ["451 try again later"]
    await change_settings(service, alert_emails=["boss@example.com"])
    await service.publish(samples.crossing(LevelLow))
    await make_retry_due(database_url, until)
    await mail_server.wait_for(1)

    async def sent() -> bool:
        return await states(database_url) == {"sent": 1}

    await until(sent)


async def test_rejected_recipient_does_not_delay_others(
    service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.responses_to_recipient = {"gone@example.com": ["550 no such user"]}
    await change_settings(service, alert_emails=["gone@example.com", "boss@example.com", "not an address"])
    await service.publish(samples.crossing(LevelLow))
    await mail_server.wait_for(1)
    assert mail_server.recipients == ["boss@example.com"]

    async def settled() -> bool:
        return await states(database_url) == {"sent": 1, "failed": 2}

    await until(settled)


async def test_retry_after_a_lost_connection_has_the_same_message_id(
    service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.breaks_after_data = 1
    await change_settings(service, alert_emails=["boss@example.com"])
    await service.publish(samples.crossing(LevelLow))
    await make_retry_due(database_url, until)
    first, second = await mail_server.wait_for(2)
    assert first["Message-ID"] == second["Message-ID"]


async def test_announcement_is_sent_to_its_audience_by_preference(
    admin: AsyncClient, issuer: TestIssuer, service: Any, samples: Any, mail_server: Any
) -> None:
    await service.publish(samples.user(9), samples.user(10), samples.user(11, role="salesperson"), samples.user(12))
    for user_id in (9, 11, 12):
        await set_email_preference(admin, issuer, user_id, Role.MANAGER, "announcement")
    gone = samples.user(12, UserUpdated, version=2, is_active=False)
    await service.publish(gone)
    await admin.post("/notifications", json={"title": "Closed\r\nBcc: x@example.com", "role": "manager"})
    [message] = await mail_server.wait_for(1)
    assert mail_server.recipients == ["user9@example.com"]
    assert message["Subject"] == "[Stockbuddy] Closed Bcc: x@example.com"
    assert message["Bcc"] is None


async def states(database_url: str) -> dict[str, int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT state, count(*) FROM notifications.queued_email GROUP BY state")
        return {row["state"]: row["count"] for row in rows}
    finally:
        await connection.close()


async def make_retry_due(database_url: str, until: Any) -> None:
    """Make the retry due as soon as the first attempt has failed."""
    connection = await asyncpg.connect(database_url)
    try:

        async def shortened() -> bool:
            status: str = await connection.execute(
                "UPDATE notifications.queued_email SET next_attempt_at = now()"
                " WHERE last_error IS NOT NULL AND state = 'pending'"
            )
            return status != "UPDATE 0"

        await until(shortened)
    finally:
        await connection.close()


async def test_email_that_cannot_be_sent_is_set_aside_and_shown_to_admins(
    admin: AsyncClient, service: Any, samples: Any, mail_server: Any, database_url: str, until: Any
) -> None:
    mail_server.responses_to_recipient = {"gone@example.com": ["550 no such user"]}
    await change_settings(service, alert_emails=["gone@example.com", "not an address", "boss@example.com"])
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO notifications.queued_email (cause, recipient, kind, content, next_attempt_at)"
        " VALUES (gen_random_uuid(), 'broken@example.com', 'low_stock', '[]', now() - interval '1 day')"
    )
    await connection.close()
    await service.publish(samples.crossing(LevelLow))
    await mail_server.wait_for(1)
    assert mail_server.recipients == ["boss@example.com"]

    async def failed() -> list[dict[str, Any]] | None:
        items = (await admin.get("/notifications/emails", params={"state": "failed"})).json()["items"]
        return items if len(items) == 3 else None

    items = await until(failed)
    reasons = {item["recipient"]: item["last_error"] for item in items}
    assert "550" in reasons["gone@example.com"]
    assert all(reasons.values())

    async def notified() -> Any:
        return (await admin.get("/notifications", params={"kind": "email_failed"})).json()["items"]

    assert len(await until(notified)) == 1
    mail_server.responses_to_recipient = {}
    [gone] = [item for item in items if item["recipient"] == "gone@example.com"]
    assert (await admin.post(f"/notifications/emails/{gone['id']}/retry")).json()["state"] == "pending"
    await mail_server.wait_for(2)
    assert mail_server.recipients[-1] == "gone@example.com"
    assert (await admin.post(f"/notifications/emails/{gone['id']}/retry")).status_code == 409


async def test_international_addresses_are_delivered(service: Any, samples: Any, mail_server: Any) -> None:
    await change_settings(service, alert_emails=["ops@b\u00fccher.example", "j\u00f6s\u00e9@example.com"])
    await service.publish(samples.crossing(LevelLow))
    messages = await mail_server.wait_for(2)
    assert sorted(mail_server.recipients) == ["j\u00f6s\u00e9@example.com", "ops@xn--bcher-kva.example"]
    assert "ops@xn--bcher-kva.example" in {str(message["To"]) for message in messages}


async def test_outage_of_the_server_notifies_admins_once(
    admin: AsyncClient, service: Any, samples: Any, mail_server: Any, until: Any
) -> None:
    await change_settings(service, alert_emails=["boss@example.com"])
    await mail_server.stop()
    await service.publish(samples.crossing(LevelLow))

    async def notified() -> Any:
        return (await admin.get("/notifications", params={"kind": "email_failed"})).json()["items"]

    [notification] = await until(notified)
    assert notification["title"] == "E-mails are not sent"
    [waiting] = (await admin.get("/notifications/emails", params={"state": "pending"})).json()["items"]
    assert waiting["last_error"]
    await mail_server.start()
    await mail_server.wait_for(1)


async def test_emails_are_listed_for_admins_only(client: AsyncClient, issuer: TestIssuer) -> None:
    headers = issuer.headers(2, Role.MANAGER)
    assert (await client.get("/notifications/emails", headers=headers)).status_code == 403
    assert (await client.post("/notifications/emails/1/retry", headers=headers)).status_code == 403
