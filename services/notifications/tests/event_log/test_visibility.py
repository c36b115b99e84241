"""A caller reads only the events of resources that the caller may read through the routes."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import LoginFailed, SessionRevoked, SettingsChanged
from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.snapshots import published_events
from stockbuddy.notifications.event_log.patterns import matches_any
from stockbuddy.notifications.event_log.visibility import ADDRESSED, REQUIRED

SETTINGS = {
    "version": 1,
    "company_name": "Corner Shop",
    "currency": "EUR",
    "timezone": "UTC",
    "registration_open": True,
    "default_low_stock_threshold": 5,
    "alert_emails": ["boss@example.com"],
    "negative_stock": "reject",
}
COUNTS = {"total": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0}
IMPORT = {"import_id": 6, "state": "finished", "dry_run": False, **COUNTS}


async def types_seen(client: AsyncClient, headers: dict[str, str], **query: str) -> list[str]:
    response = await client.get("/events", params=query, headers=headers)
    return sorted({event["type"] for event in response.json()["items"]})


def test_every_event_type_has_one_required_permission() -> None:
    for name, _ in published_events():
        found = [permission for permission, patterns in REQUIRED.items() if matches_any(patterns, name)]
        assert len(found) == (not matches_any(ADDRESSED, name)), name


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.SALESPERSON, ["catalog.product.created", "stock.movement.posted"]),
        (Role.MANAGER, ["catalog.import.finished", "catalog.product.created", "stock.movement.posted"]),
    ],
)
async def test_events_of_accounts_and_settings_are_for_admins(
    admin: AsyncClient, service: Any, samples: Any, issuer: TestIssuer, role: Role, expected: list[str]
) -> None:
    await service.publish(
        LoginFailed(login="bob@example.com", reason="wrong_password"),
        samples.user(8),
        SessionRevoked(session_id="s1", user_id=8, reason="logout"),
        SettingsChanged.model_validate(SETTINGS),
        ImportFinished.model_validate(IMPORT),
        samples.product(),
        samples.movement(),
    )
    assert await types_seen(admin, issuer.headers(9, role)) == expected
    assert await types_seen(admin, issuer.headers(9, role), types="auth.*,auth.user.registered") == []
    assert "auth.user.login_failed" in await types_seen(admin, issuer.headers(1, Role.ADMIN))


async def test_others_preferences_and_webhooks_are_not_visible(
    admin: AsyncClient, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    await service.publish(samples.user(8), samples.user(9))
    update = {"low_stock": {"email": False}}
    await admin.put("/notification-preferences", json=update, headers=issuer.headers(8, Role.MANAGER))
    await admin.post("/webhooks", json={"url": "https://example.com/hook"})
    await admin.post("/notifications", json={"title": "not yours", "user_id": 8})
    own = await until(lambda: types_seen(admin, issuer.headers(8, Role.MANAGER), types="notifications.notification.*"))
    assert own == ["notifications.notification.created"]
    own = await types_seen(admin, issuer.headers(8, Role.MANAGER), types="notifications.preferences.*")
    assert own == ["notifications.preferences.changed"]
    assert await types_seen(admin, issuer.headers(9, Role.MANAGER), types="notifications.*") == []


async def test_api_key_sees_no_personal_events_of_its_owner(
    admin: AsyncClient, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    await service.publish(samples.user(9))
    await admin.post("/notifications", json={"title": "yours", "user_id": 9})
    assert await until(lambda: types_seen(admin, issuer.headers(9, Role.MANAGER), types="notifications.*"))
    key = issuer.headers(9, Role.MANAGER, session_id="key:4.1")
    assert await types_seen(admin, key, types="notifications.*") == []


async def test_api_key_has_no_personal_resources(admin: AsyncClient, issuer: TestIssuer) -> None:
    key = issuer.headers(9, Role.ADMIN, session_id="key:4.1")
    for method, path in [
        ("GET", "/notifications"),
        ("POST", "/notifications/read-all"),
        ("POST", "/notifications/1/read"),
        ("POST", "/notifications/1/unread"),
        ("GET", "/notifications/1"),
        ("GET", "/notification-preferences"),
        ("PUT", "/notification-preferences"),
    ]:
        body = {"low_stock": {"email": False}} if method == "PUT" else None
        response = await admin.request(method, path, json=body, headers=key)
        assert (response.status_code, response.json()["code"]) == (403, "interactive_only"), path


async def test_repeated_denials_are_one_event(admin: AsyncClient, issuer: TestIssuer, until: Any) -> None:
    salesperson = issuer.headers(9, Role.SALESPERSON)
    for number in range(5):
        assert (await admin.get(f"/webhooks/{number + 1}", headers=salesperson)).status_code == 403
    assert (await admin.get("/webhooks", headers=salesperson)).status_code == 403

    async def denials() -> list[str] | None:
        items = (await admin.get("/events", params={"types": "auth.access.denied"})).json()["items"]
        paths = [item["data"]["path"] for item in items]
        return paths if "/api/v1/webhooks" in paths else None

    assert await until(denials) == ["/api/v1/webhooks/1", "/api/v1/webhooks"]
