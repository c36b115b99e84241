"""GET /audit-logs: actor, action, time, client address and changes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from httpx2 import AsyncClient
from sqlalchemy import text

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.chassis.testing.lists import list_paths
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import LoginFailed, SettingsChanged, UserLoggedIn, UserUpdated
from stockbuddy.contracts.catalog import ProductDeleted, ProductUpdated

BOB = EventContext(actor_id=8, actor_name="bob", client_ip="198.51.100.4", request_id="req-2")
ANONYMOUS = EventContext(client_ip="192.0.2.66", request_id="req-3")


async def read(client: AsyncClient, **query: Any) -> Mapping[str, Any]:
    response = await client.get("/audit-logs", params=query)
    assert response.status_code == 200, response.text
    page: Mapping[str, Any] = response.json()
    return page


async def test_unknown_parameter_of_a_list_is_rejected(admin: AsyncClient, service: Any) -> None:
    paths = list(list_paths(service.app))
    assert len(paths) >= 5
    for path in paths:
        answer = await admin.get(path.removeprefix("/api/v1"), params={"form": "2024-01-01"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "form"), path


async def test_entry_contains_actor_action_time_and_client_address(
    admin: AsyncClient, service: Any, samples: Any
) -> None:
    await service.publish(samples.movement())
    [entry] = (await read(admin))["items"]
    assert entry["type"] == "stock.movement.posted"
    assert entry["action"] == "posted"
    assert (entry["actor_id"], entry["actor"]) == (7, "alice")
    assert entry["ip_address"] == "203.0.113.9"
    assert entry["subject"] == "product/42"
    assert entry["request_id"] == "req-1"
    assert entry["at"].endswith("Z")
    assert len(entry["hash"]) == 64
    assert entry["changes"]["balance"] == {"from": 10, "to": 8}
    assert "before" not in entry["changes"]


async def test_entry_of_a_state_event_lists_changed_fields(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.product(), samples.movement())
    await service.publish(samples.product(ProductUpdated, version=2, unit_price="21.00", changes=["unit_price"]))
    await service.publish(samples.product(ProductDeleted, version=3, unit_price="21.00", deleted=True))
    deleted, updated, _, created = (await read(admin))["items"]
    assert created["changes"]["name"] == {"from": None, "to": "Teapot"}
    assert updated["changes"] == {"unit_price": {"from": "19.90", "to": "21.00"}}
    assert deleted["changes"] == {"deleted": {"from": False, "to": True}}


async def test_changes_listed_by_the_event_are_returned(admin: AsyncClient, service: Any) -> None:
    listed = {"role": {"from": "salesperson", "to": "manager"}}
    user = {"user_id": 9, "username": "carol", "email": "carol@example.com"}
    await service.publish(UserUpdated(**user, version=7, role="manager", changes=listed))
    assert (await read(admin))["items"][0]["changes"] == listed


async def test_changes_are_relative_to_the_same_subject(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.product(product_id=1, name="Cup"), samples.product(product_id=2, name="Pot"))
    await service.publish(samples.product(ProductUpdated, product_id=1, name="Mug", version=2))
    entry = (await read(admin))["items"][0]
    assert entry["changes"] == {"name": {"from": "Cup", "to": "Mug"}}


async def test_events_that_follow_from_others_are_not_audited(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.movement(), samples.level())
    page = await read(admin)
    assert [entry["type"] for entry in page["items"]] == ["stock.movement.posted"]
    assert page["total"] == 1
    assert len((await admin.get("/events")).json()["items"]) == 2


async def test_failed_login_is_audited(admin: AsyncClient, service: Any) -> None:
    await service.publish(LoginFailed(login="mallory", reason="unknown\0user"), context=ANONYMOUS)
    [entry] = (await read(admin))["items"]
    assert (entry["actor_id"], entry["actor"], entry["ip_address"]) == (None, None, "192.0.2.66")
    assert entry["changes"]["reason"]["to"] == "unknown\ufffduser"


async def test_login_is_attributed_to_its_user(admin: AsyncClient, service: Any) -> None:
    await service.publish(UserLoggedIn(user_id=8, username="bob", session_id="s"), context=ANONYMOUS)
    [entry] = (await read(admin))["items"]
    assert (entry["actor_id"], entry["actor"]) == (8, "bob")


@pytest.fixture
async def trail(service: Any, samples: Any) -> None:
    await service.publish(samples.product(name="Blue teapot"))
    await service.publish(samples.movement(reference_number="INV-77"), context=BOB)
    await service.publish(LoginFailed(login="mallory@example.com", reason="unknown_user"), context=ANONYMOUS)
    await service.publish(samples.product(ProductUpdated, product_id=43, version=2))


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"type": "stock.*"}, [2]),
    ({"type": "auth.user.login_failed,catalog.product.created"}, [3, 1]),
    ({"type": "nothing.*"}, []),
    ({"actor_id": 7}, [4, 1]),
    ({"actor": "bob"}, [2]),
    ({"actor": "bo"}, []),
    ({"ip_address": "198.51.100.4"}, [2]),
    ({"action": "login_failed"}, [3]),
    ({"action": "failed"}, []),
    ({"action": "created", "type": "catalog.*"}, [1]),
    ({"action": "created", "type": "stock.*"}, []),
    ({"subject": "product/42"}, [2, 1]),
    ({"request_id": "req-3"}, [3]),
    ({"search": "teapot"}, [4, 1]),
    ({"search": "blue teap"}, [1]),
    ({"search": "inv-77"}, [2]),
    ({"search": "mallory"}, [3]),
    ({"search": "198.51.100.4"}, [2]),
    ({"search": "bob"}, [2]),
    ({"search": "product/43"}, [4]),
    ({"search": "O'Brien & \\ :* !"}, []),
    ({"actor_id": 7, "search": "blue", "type": "catalog.*"}, [1]),
]


@pytest.mark.usefixtures("trail")
async def test_filters_select_matching_entries(admin: AsyncClient) -> None:
    for query, expected in FILTERS:
        page = await read(admin, **query)
        assert ([entry["id"] for entry in page["items"]], page["total"]) == (expected, len(expected)), query


@pytest.mark.usefixtures("trail")
async def test_searches_find_entries_in_the_word_index_and_beyond_it(
    admin: AsyncClient, service: Any, samples: Any, until: Any
) -> None:
    async def indexed() -> int:
        async with service.app.state.resources.database.reading() as session:
            return int(await session.scalar(text("SELECT count(*) FROM event_log_word")))

    async def are_indexed() -> bool:
        return await indexed() == 4

    await until(are_indexed)
    for query, expected in FILTERS:
        page = await read(admin, **query)
        assert ([entry["id"] for entry in page["items"]], page["total"]) == (expected, len(expected)), query
    await service.publish(samples.product(ProductUpdated, name="Red teapot", version=3))
    assert await indexed() == 4, "indexed while entries are appended"
    page = await read(admin, search="teapot", page_size=2)
    assert ([entry["id"] for entry in page["items"]], page["total"]) == ([5, 4], 3)


@pytest.mark.usefixtures("trail")
async def test_time_filter_is_half_open(admin: AsyncClient) -> None:
    times = {entry["id"]: entry["at"] for entry in (await read(admin))["items"]}
    page = await read(admin, **{"from": times[2], "to": times[4]})
    assert [entry["id"] for entry in page["items"]] == [3, 2]


@pytest.mark.usefixtures("trail")
async def test_days_are_those_of_the_company(admin: AsyncClient, service: Any) -> None:
    moment = datetime.fromisoformat((await read(admin))["items"][0]["at"])
    for version, zone in enumerate(("Pacific/Kiritimati", "Etc/GMT+12"), start=1):
        settings = {"company_name": "Tea & Co", "currency": "EUR", "registration_open": True, "alert_emails": []}
        limits = {"default_low_stock_threshold": 10, "negative_stock": "reject"}
        values = {"version": version, "timezone": zone, **settings, **limits}
        await service.publish(SettingsChanged.model_validate(values))
        day = moment.astimezone(ZoneInfo(zone)).date()
        before, after = (str(day + timedelta(days=days)) for days in (-1, 1))
        assert (await read(admin, subject="product/42", **{"from": day, "to": after}))["total"] == 2, zone
        assert (await read(admin, subject="product/42", **{"from": before, "to": day}))["total"] == 0, zone


@pytest.mark.usefixtures("trail")
async def test_list_is_paged_by_number_and_by_cursor(admin: AsyncClient) -> None:
    second = await read(admin, page=2, page_size=3)
    assert [entry["id"] for entry in second["items"]] == [1]
    assert (second["total"], second["next_cursor"]) == (4, None)
    first = await read(admin, page_size=2)
    rest = await read(admin, page_size=2, cursor=first["next_cursor"])
    assert [entry["id"] for entry in first["items"] + rest["items"]] == [4, 3, 2, 1]


async def test_trail_is_forbidden_for_other_roles(client: AsyncClient, issuer: TestIssuer) -> None:
    for role in (Role.SALESPERSON, Role.MANAGER):
        for path in ("/audit-logs", "/audit-logs/verify"):
            response = await client.get(path, headers=issuer.headers(2, role))
            assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_invalid_query_is_rejected(admin: AsyncClient) -> None:
    for query in (
        {"type": "stock.*;"},
        {"actor_id": "x"},
        {"action": "*"},
        {"actor": "\0"},
        {"ip_address": "\0"},
        {"actor_id": 2**70},
        {"subject": "\0"},
        {"request_id": "\0"},
        {"search": "a\0"},
        {"from": "2026"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"page_size": 101},
        {"cursor": "abc"},
    ):
        assert (await admin.get("/audit-logs", params=query)).status_code == 422, query
