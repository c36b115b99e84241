"""Channel preferences."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.notifications.kinds import KINDS


async def test_preferences_without_updates_are_the_defaults(admin: AsyncClient) -> None:
    preferences = (await admin.get("/notification-preferences")).json()
    assert set(preferences) == set(KINDS)
    assert preferences["low_stock"] == preferences["out_of_stock"] == {"in_app": True, "email": True}
    assert preferences["announcement"] == {"in_app": True, "email": False}


async def test_update_changes_only_its_fields_and_only_for_the_caller(admin: AsyncClient, issuer: TestIssuer) -> None:
    update = {"low_stock": {"email": False}, "announcement": {"in_app": False}}
    response = await admin.put("/notification-preferences", json=update)
    assert response.json()["low_stock"] == {"in_app": True, "email": False}
    assert response.json()["announcement"] == {"in_app": False, "email": False}
    assert (await admin.get("/notification-preferences")).json() == response.json()
    other = await admin.get("/notification-preferences", headers=issuer.headers(2, Role.SALESPERSON))
    assert other.json()["low_stock"] == {"in_app": True, "email": True}


async def test_update_with_stale_etag_is_rejected(admin: AsyncClient) -> None:
    seen = (await admin.get("/notification-preferences")).headers["ETag"]
    changed = await admin.put(
        "/notification-preferences", json={"announcement": {"email": True}}, headers={"If-Match": seen}
    )
    assert changed.status_code == 200
    stale = await admin.put(
        "/notification-preferences", json={"announcement": {"email": False}}, headers={"If-Match": seen}
    )
    assert stale.status_code == 412
    again = await admin.get("/notification-preferences", headers={"If-None-Match": changed.headers["ETag"]})
    assert again.status_code == 304


async def test_muted_kind_is_not_listed(admin: AsyncClient, issuer: TestIssuer) -> None:
    await admin.post("/notifications", json={"title": "Hello"})
    nine = issuer.headers(9, Role.MANAGER)
    await admin.put("/notification-preferences", json={"announcement": {"in_app": False}}, headers=nine)
    page = (await admin.get("/notifications", headers=nine)).json()
    assert (page["items"], page["total"], page["unread_count"]) == ([], 0, 0)
    assert (await admin.get("/notifications")).json()["total"] == 1


async def test_update_publishes_one_event_with_its_changes(admin: AsyncClient) -> None:
    await admin.put("/notification-preferences", json={"low_stock": {"email": False}})
    await admin.put("/notification-preferences", json={"low_stock": {"email": False}})
    types = "notifications.preferences.*"
    feed = (await admin.get("/events", params={"types": types, "wait": 5})).json()
    [event] = feed["items"]
    assert event["data"]["changes"] == {"low_stock.email": {"from": True, "to": False}}
    later = await admin.get("/events", params={"types": types, "after": feed["next_cursor"], "wait": 0.3})
    assert later.json()["items"] == []


@pytest.mark.parametrize("body", [{"gossip": {"email": True}}, {"low_stock": {"sms": True}}, {"low_stock": True}, []])
async def test_invalid_update_is_rejected(admin: AsyncClient, body: Any) -> None:
    assert (await admin.put("/notification-preferences", json=body)).status_code == 422
