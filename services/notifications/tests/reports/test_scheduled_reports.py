"""Notifications and e-mails about scheduled reports: for those who may read them, once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import RoleCreated, UserDeactivated, UserErased
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.stock import ReportFailed, ReportProduced, ReportSchedulePaused

RUN = {
    "schedule_id": 5,
    "owner_id": 9,
    "job_id": 17,
    "name": "Sales of last week",
    "report": "sales",
    "format": "xlsx",
    "language": "de",
    "recipient_ids": [9, 10, 11, 12, 13, 14],
    "finished_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
}
TOO_LARGE = (
    "Der Bericht konnte nicht erstellt werden. Das Ergebnis ist größer als 256 MiB. "
    "Wählen Sie einen kürzeren Zeitraum oder weniger Produkte."
)
UNKNOWN_FAILURE = (
    "No se pudo generar el informe. Se produjo un error inesperado. Avise a un administrador si vuelve a ocurrir."
)
RESULT = {"required_permissions": ["report.read", "cost.read"], "expires_at": RUN["finished_at"] + timedelta(days=7)}  # type: ignore[operator]
SCHEDULE = {
    "id": 5,
    "version": 3,
    "name": "Profit",
    "owner_id": 9,
    "report": "profit",
    "parameters": {},
    "period": "last_week",
    "format": "csv",
    "language": "es",
    "recurrence": {"frequency": "daily", "time": "07:00"},
    "recipient_ids": [9],
    "is_paused": True,
    "pause_reason": "permission_revoked",
    "created_at": RUN["finished_at"],
    "updated_at": RUN["finished_at"],
}


@pytest.fixture
async def database(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    yield connection
    await connection.close()


async def emails(database: asyncpg.Connection) -> list[tuple[str, str, str, dict[str, str]]]:
    rows = await database.fetch("""
        SELECT recipient, language, path, content FROM queued_email ORDER BY length(recipient), recipient, path
    """)
    return [(row["recipient"], row["language"], row["path"], json.loads(row["content"])) for row in rows]


async def titles(client: AsyncClient, issuer: TestIssuer, user_id: int) -> list[str]:
    answer = await client.get("/notifications", headers=issuer.headers(user_id, Role.MANAGER))
    return [item["title"] for item in answer.json()["items"]]


async def test_recipients_who_may_read_the_report_are_told_once(
    service: Any, client: AsyncClient, issuer: TestIssuer, samples: Any, message_of: Any, database: asyncpg.Connection
) -> None:
    clerk = {"name": "clerk", "version": 1, "permissions": ["report.read", "cost.read"]}
    await service.publish(
        RoleCreated.model_validate(clerk),
        samples.user(9),
        samples.user(10, role="clerk"),
        samples.user(11, role="salesperson"),
        samples.user(12, kind=UserDeactivated, is_active=False),
        samples.user(13, email_confirmed=False),
    )
    message = message_of(ReportProduced.model_validate(RUN | RESULT))
    await service.deliver([message])
    await service.deliver([message])
    content = {
        "title": "Bericht: Sales of last week",
        "body": "Der Bericht ist fertig. Er kann bis zum 08.03.2026 heruntergeladen werden.",
    }
    path = "/report-schedules?schedule=5"
    assert await emails(database) == [
        ("user9@example.com", "de", path, content),
        ("user10@example.com", "de", path, content),
    ]
    for user_id, wanted in ((9, 1), (10, 1), (11, 0), (12, 0), (13, 1), (14, 0)):
        assert await titles(client, issuer, user_id) == ["Report: Sales of last week"] * wanted
    answer = await client.get("/notifications", headers=issuer.headers(9, Role.MANAGER))
    (shown,) = answer.json()["items"]
    assert (shown["kind"], shown["code"], shown["subject"]) == ("report_ready", "report_ready", "report-schedule/5")
    assert shown["values"] == {"name": "Sales of last week", "expires_at": "2026-03-08T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("event", "title", "body", "code"),
    [
        (
            ReportFailed.model_validate(RUN | {"problem_code": "result_too_large"}),
            "Bericht fehlgeschlagen: Sales of last week",
            TOO_LARGE,
            "report_failed",
        ),
        (
            ReportFailed.model_validate(RUN | {"problem_code": "of_a_newer_release", "language": "es"}),
            "Informe fallido: Sales of last week",
            UNKNOWN_FAILURE,
            "report_failed",
        ),
        (
            ReportSchedulePaused.model_validate(SCHEDULE),
            "Informe en pausa: Profit",
            "El informe ya no se genera porque usted ya no puede leerlo.",
            "report_schedule_paused",
        ),
        (
            ReportSchedulePaused.model_validate(SCHEDULE | {"language": "tlh"}),
            "Report paused: Profit",
            "The report is no longer produced, because you may no longer read it.",
            "report_schedule_paused",
        ),
    ],
)
async def test_owner_is_told_of_a_failure_and_of_a_pause(
    service: Any,
    client: AsyncClient,
    issuer: TestIssuer,
    samples: Any,
    database: asyncpg.Connection,
    event: Event,
    title: str,
    body: str,
    code: str,
) -> None:
    await service.publish(samples.user(9), samples.user(10))
    await service.publish(event)
    (email,) = await emails(database)
    assert (email[0], email[3]) == ("user9@example.com", {"title": title, "body": body})
    answer = await client.get("/notifications", headers=issuer.headers(9, Role.MANAGER))
    assert [(item["kind"], item["code"]) for item in answer.json()["items"]] == [("report_failed", code)]
    assert await titles(client, issuer, 10) == []


async def test_waiting_email_is_about_the_latest_result(
    service: Any, client: AsyncClient, issuer: TestIssuer, samples: Any, database: asyncpg.Connection
) -> None:
    await service.publish(samples.user(9), samples.user(10))
    later = {"expires_at": datetime(2026, 3, 9, 12, tzinfo=UTC), "recipient_ids": [9]}
    for change in ({}, later, {"schedule_id": 6}):
        await service.publish(ReportProduced.model_validate(RUN | RESULT | change))
    body = "Der Bericht ist fertig. Er kann bis zum {}.03.2026 heruntergeladen werden."
    assert [(address, path, content["body"]) for address, _, path, content in await emails(database)] == [
        ("user9@example.com", "/report-schedules?schedule=5", body.format("09")),
        ("user9@example.com", "/report-schedules?schedule=6", body.format("08")),
        ("user10@example.com", "/report-schedules?schedule=5", body.format("08")),
        ("user10@example.com", "/report-schedules?schedule=6", body.format("08")),
    ]
    assert len(await titles(client, issuer, 9)) == 3


async def test_recipient_may_decline_the_emails(
    service: Any, client: AsyncClient, issuer: TestIssuer, samples: Any, database: asyncpg.Connection
) -> None:
    await service.publish(samples.user(9), samples.user(10))
    declined = {"report_ready": {"email": False}}
    answer = await client.put("/notification-preferences", json=declined, headers=issuer.headers(10, Role.MANAGER))
    assert answer.status_code == 200
    await service.publish(ReportProduced.model_validate(RUN | RESULT))
    assert [email[0] for email in await emails(database)] == ["user9@example.com"]
    assert len(await titles(client, issuer, 10)) == 1


async def test_erased_recipient_gets_nothing_and_leaves_nothing(
    service: Any, samples: Any, database: asyncpg.Connection
) -> None:
    await service.publish(samples.user(9))
    await service.publish(ReportProduced.model_validate(RUN | RESULT))
    erased = {"user_id": 9, "version": 2, "username": "erased-9", "email": "", "role": "manager", "is_active": False}
    await service.publish(UserErased.model_validate(erased))
    assert await emails(database) == []
    await service.publish(ReportProduced.model_validate(RUN | RESULT))
    assert await emails(database) == []
    assert await database.fetchval("SELECT count(*) FROM notification") == 0
