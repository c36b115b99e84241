"""In-app notifications: for users, roles and everyone; read state per user."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer


async def create(admin: AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await admin.post("/notifications", json={"title": "Hello", **fields})
    assert response.status_code == 201, response.text
    notification: dict[str, Any] = response.json()
    return notification


async def read(client: AsyncClient, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
    response = await client.get("/notifications", params=query, headers=headers)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def ids(page: dict[str, Any]) -> list[int]:
    return [item["id"] for item in page["items"]]


@pytest.fixture
async def four(admin: AsyncClient, service: Any, samples: Any) -> dict[str, int]:
    """Ids of notifications for user 9, for managers, for salespeople and for everyone."""
    await service.publish(samples.user(9), samples.user(10))
    return {
        "user": (await create(admin, user_id=9, body="for you"))["id"],
        "managers": (await create(admin, role="manager"))["id"],
        "sales": (await create(admin, role="salesperson"))["id"],
        "everyone": (await create(admin))["id"],
    }


async def test_user_sees_notifications_of_their_audiences_only(
    admin: AsyncClient, issuer: TestIssuer, four: dict[str, int]
) -> None:
    for user_id, role, expected in [
        (9, Role.MANAGER, ["everyone", "managers", "user"]),
        (10, Role.SALESPERSON, ["everyone", "sales"]),
        (1, Role.ADMIN, ["everyone"]),
    ]:
        page = await read(admin, issuer.headers(user_id, role))
        assert ids(page) == [four[name] for name in expected]
        assert page["total"] == page["unread_count"] == len(expected)


async def test_notification_response_contains_its_addressee(
    admin: AsyncClient, issuer: TestIssuer, four: dict[str, int]
) -> None:
    response = await admin.get(f"/notifications/{four['user']}", headers=issuer.headers(9, Role.MANAGER))
    shown = response.json()
    assert (shown["title"], shown["body"], shown["kind"]) == ("Hello", "for you", "announcement")
    assert (shown["user_id"], shown["role"]) == (9, None)
    assert (shown["is_read"], shown["read_at"]) == (False, None)


async def test_marking_as_read_affects_the_reader_only(
    admin: AsyncClient, issuer: TestIssuer, four: dict[str, int]
) -> None:
    nine, ten = issuer.headers(9, Role.MANAGER), issuer.headers(10, Role.SALESPERSON)
    response = await admin.post(f"/notifications/{four['everyone']}/read", headers=nine)
    assert response.json()["is_read"] is True
    assert ids(await read(admin, nine, unread=True)) == [four["managers"], four["user"]]
    assert ids(await read(admin, nine, unread=False)) == [four["everyone"]]
    assert (await read(admin, nine))["unread_count"] == 2
    assert (await read(admin, ten))["unread_count"] == 2
    again = await admin.post(f"/notifications/{four['everyone']}/read", headers=nine)
    assert again.json()["read_at"] == response.json()["read_at"]
    back = await admin.post(f"/notifications/{four['everyone']}/unread", headers=nine)
    assert back.json()["is_read"] is False
    assert (await read(admin, nine))["unread_count"] == 3


async def test_read_all_marks_every_notification_of_the_reader(
    admin: AsyncClient, issuer: TestIssuer, four: dict[str, int]
) -> None:
    nine = issuer.headers(9, Role.MANAGER)
    assert (await admin.post("/notifications/read-all", headers=nine)).json() == {"read": 3}
    assert (await admin.post("/notifications/read-all", headers=nine)).json() == {"read": 0}
    assert (await read(admin, nine))["unread_count"] == 0
    assert (await read(admin, issuer.headers(10, Role.MANAGER)))["unread_count"] == 2


async def test_notification_of_another_user_is_not_found(
    admin: AsyncClient, issuer: TestIssuer, four: dict[str, int]
) -> None:
    ten = issuer.headers(10, Role.MANAGER)
    for method, path in [("GET", ""), ("POST", "/read"), ("POST", "/unread")]:
        response = await admin.request(method, f"/notifications/{four['user']}{path}", headers=ten)
        assert (response.status_code, response.json()["code"]) == (404, "unknown_notification")


async def test_list_is_paged_and_filtered_by_kind(admin: AsyncClient, service: Any) -> None:
    made = [(await create(admin, kind="announcement" if n % 2 else "import_finished"))["id"] for n in range(5)]
    first = await read(admin, page_size=2)
    second = await read(admin, page_size=2, cursor=first["next_cursor"])
    third = await read(admin, page_size=2, page=3)
    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert third["next_cursor"] is None
    assert ids(await read(admin, kind="announcement")) == [made[3], made[1]]


INVALID: list[dict[str, Any]] = [
    {},
    {"title": " "},
    {"title": "a\0"},
    {"title": "x", "body": "a\0"},
    {"title": "x", "kind": "gossip"},
    {"title": "x", "role": "king"},
    {"title": "x", "user_id": 1, "role": "admin"},
    {"title": "x", "color": "red"},
    {"title": "x", "user_id": 2**70},
]


async def test_invalid_notification_is_rejected(admin: AsyncClient) -> None:
    for body in INVALID:
        response = await admin.post("/notifications", json=body)
        assert (response.status_code, response.json()["code"]) == (422, "validation_error"), body


async def test_notification_to_unknown_user_is_rejected(admin: AsyncClient) -> None:
    response = await admin.post("/notifications", json={"title": "x", "user_id": 404})
    assert (response.status_code, response.json()["code"]) == (422, "unknown_user")


async def test_creation_by_other_roles_is_forbidden(client: AsyncClient, issuer: TestIssuer) -> None:
    for role in (Role.SALESPERSON, Role.MANAGER):
        response = await client.post("/notifications", json={"title": "x"}, headers=issuer.headers(2, role))
        assert response.status_code == 403


async def test_creation_and_reading_publish_events(
    admin: AsyncClient, issuer: TestIssuer, service: Any, samples: Any
) -> None:
    await service.publish(samples.user(9))
    made = await create(admin, user_id=9)
    await admin.post("/notifications/read-all", headers=issuer.headers(9, Role.MANAGER))

    async def seen_by(headers: dict[str, str], count: int) -> list[str]:
        types: list[str] = []
        after = "0"
        while len(types) < count:
            query: dict[str, str | int] = {"types": "notifications.*", "after": after, "wait": 5}
            feed = (await admin.get("/events", params=query, headers=headers)).json()
            assert feed["items"], types
            types += [event["type"] for event in feed["items"]]
            after = feed["next_cursor"]
        return types

    own = await seen_by(issuer.headers(9, Role.SALESPERSON), 2)
    assert own == ["notifications.notification.created", "notifications.notification.read"]
    assert await seen_by(issuer.headers(1, Role.ADMIN), 1) == ["notifications.announcement.published"]
    trail = (await admin.get("/audit-logs")).json()["items"]
    assert [entry["type"] for entry in trail if entry["actor"] == "root"] == ["notifications.announcement.published"]
    assert made["user_id"] == 9
