"""System settings: validation, versions, the published event, and closed registration."""

import asyncio
from collections import Counter
from typing import Any

import pytest

DEFAULTS = {
    "company_name": "Stockbuddy",
    "currency": "USD",
    "timezone": "UTC",
    "registration_open": True,
    "default_low_stock_threshold": 10,
    "alert_emails": [],
    "negative_stock": "reject",
    "registration_role": "salesperson",
    "second_factor_roles": [],
}


def without_time(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "updated_at"}


async def test_settings_update_is_published_with_all_settings(auth: Any) -> None:
    admin = await auth.admin_token()
    before = await auth.get("/system-settings", token=admin)
    assert without_time(before.json()) == {**DEFAULTS, "version": 1}
    assert before.headers["ETag"] == '"1"'
    member = (await auth.member())["access_token"]
    company = (await auth.get("/system-settings/company", token=member)).json()
    assert company == {name: DEFAULTS[name] for name in ("company_name", "currency", "timezone")}
    assert (await auth.get("/system-settings/company")).status_code == 401
    change = {
        "company_name": "Ann's Shop",
        "currency": "eur",
        "timezone": "Europe/Berlin",
        "default_low_stock_threshold": 2.5,
        "alert_emails": ["boss@shop.local"],
        "negative_stock": "allow",
    }
    response = await auth.call("PATCH", "/system-settings", token=admin, json=change)
    assert response.status_code == 200, response.text
    expected = {**DEFAULTS, **change, "currency": "EUR"}
    assert without_time(response.json()) == {**expected, "version": 2}
    after = await auth.get("/system-settings", token=admin)
    assert after.json() == response.json()
    assert after.headers["ETag"] == response.headers["ETag"] == '"2"'
    published = await auth.event("auth.settings.changed")
    assert {name: value for name, value in published.items() if name != "changes"} == {**expected, "version": 2}
    assert published["changes"]["currency"] == {"from": "USD", "to": "EUR"}
    assert published["changes"]["default_low_stock_threshold"] == {"from": "10", "to": "2.5"}
    assert set(published["changes"]) == set(change)


async def test_invalid_setting_is_rejected_with_message(auth: Any) -> None:
    admin = await auth.admin_token()
    response = await auth.call("PATCH", "/system-settings", token=admin, json={"timezone": "Mars/Olympus"})
    expected = {"field": "timezone", "message": "is not a name of the IANA time zone database"}
    assert response.json()["errors"] == [expected | {"code": "time_zone_unknown", "values": {}}]


async def test_settings_sent_back_unchanged_have_no_effect(auth: Any) -> None:
    admin = await auth.admin_token()
    got = (await auth.get("/system-settings", token=admin)).json()
    unchanged = await auth.call("PUT", "/system-settings", token=admin, json=got)
    assert unchanged.json() == got, "nothing changed, so there is no new version"
    changed = await auth.call("PUT", "/system-settings", token=admin, json={**got, "company_name": "Other"})
    assert changed.json()["version"] == 2
    stale = await auth.call("PUT", "/system-settings", token=admin, json={**got, "company_name": "Stale"})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")


async def test_concurrent_updates_of_one_version_succeed_once(auth: Any) -> None:
    admin = await auth.admin_token()
    answers = await asyncio.gather(
        *(
            auth.call(
                "PATCH",
                "/system-settings",
                token=admin,
                json={"company_name": f"Shop {number}"},
                headers={"If-Match": '"1"'},
            )
            for number in range(4)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 3}


async def test_invalid_settings_are_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    admin = await auth.admin_token()
    for change, field in [
        ({"currency": "XYZ"}, "currency"),
        ({"currency": "Dollar"}, "currency"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"company_name": ""}, "company_name"),
        ({"company_name": None}, "company_name"),
        ({"company_name": "line\nbreak"}, "company_name"),
        ({"registration_open": "perhaps"}, "registration_open"),
        ({"default_low_stock_threshold": -1}, "default_low_stock_threshold"),
        ({"default_low_stock_threshold": 0.0001}, "default_low_stock_threshold"),
        ({"default_low_stock_threshold": "NaN"}, "default_low_stock_threshold"),
        ({"alert_emails": ["boss"]}, "alert_emails.0"),
        ({"alert_emails": ["boss@example.com"] * 51}, "alert_emails"),
        ({"negative_stock": "maybe"}, "negative_stock"),
        ({"colour": "red"}, "colour"),
    ]:
        with subtests.test(change=change, field=field):
            response = await auth.call("PATCH", "/system-settings", token=admin, json=change)
            assert response.status_code == 422
            assert [error["field"] for error in response.json()["errors"]] == [field]
            assert (await auth.get("/system-settings", token=admin)).json()["version"] == 1


async def test_settings_are_accessible_to_admins_only(auth: Any, subtests: pytest.Subtests) -> None:
    member = (await auth.member())["access_token"]
    for method in ["GET", "PUT", "PATCH"]:
        with subtests.test(method=method):
            assert (await auth.call(method, "/system-settings", json={})).status_code == 401
            assert (await auth.call(method, "/system-settings", json={}, token=member)).status_code == 403


async def test_registration_while_closed_is_rejected_except_with_invitation(auth: Any) -> None:
    admin = await auth.admin_token()
    body = {"username": "johndoe", "email": "john@example.com", "password": "violet-Harbour-71"}
    await auth.call("PATCH", "/system-settings", token=admin, json={"registration_open": False})
    refused = await auth.post("/auth/register", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "registration_closed")
    assert (await auth.event("auth.access.denied"))["code"] == "registration_closed"
    made = await auth.post("/auth/invitations", {}, token=admin)
    entry = {"email": "ann@example.com", "password": "violet-Harbour-71", "access_token": made.json()["token"]}
    assert (await auth.post("/auth/salesperson", entry)).status_code == 201, "invited users can still register"
    await auth.call("PATCH", "/system-settings", token=admin, json={"registration_open": True})
    assert (await auth.post("/auth/register", body)).status_code == 201
