"""User management: permissions, immediate effect of changes, and the last admin."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from stockbuddy.chassis.testing.lists import list_paths
from stockbuddy.contracts.internal import REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH

PASSWORD = "violet-Harbour-71"


async def test_unknown_parameter_of_a_list_is_rejected(auth: Any) -> None:
    admin = await auth.admin_token()
    paths = list(list_paths(auth.app))
    assert len(paths) >= 5
    for path in paths:
        response = await auth.get(path.removeprefix("/api/v1"), token=admin, params={"form": "2024-01-01"})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "form"), path


async def test_user_list_is_searched_and_paginated(auth: Any) -> None:
    admin = await auth.admin_token()
    for name in ("ann", "bob", "cleo"):
        await auth.register(username=name, email=f"{name}@shop.example.com", full_name=f"{name.title()} O'Neill_100%")
    first = (await auth.get("/users", token=admin, params={"page_size": 2})).json()
    assert [user["username"] for user in first["items"]] == ["boss", "ann"]
    assert (first["page"], first["page_size"], first["total"]) == (1, 2, 4)
    rest = (await auth.get("/users", token=admin, params={"page_size": 2, "cursor": first["next_cursor"]})).json()
    assert [user["username"] for user in rest["items"]] == ["bob", "cleo"]
    assert rest["next_cursor"] is None
    second = (await auth.get("/users", token=admin, params={"page_size": 2, "page": 2})).json()
    assert second["items"] == rest["items"]

    async def found(**query: Any) -> list[str]:
        answer = (await auth.get("/users", token=admin, params=query)).json()
        return [user["username"] for user in answer["items"]]

    assert await found(search="BOB") == ["bob"]
    assert await found(search="cleo@shop") == ["cleo"]
    assert await found(search="o'neill_100% ann") == ["ann"]
    assert await found(search="100%_") == []
    assert await found(role="admin") == ["boss"]
    assert await found(is_active="false") == []


async def test_user_list_with_invalid_query_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    admin = await auth.admin_token()
    for query in [
        {"page": 0},
        {"page_size": 101},
        {"cursor": "x"},
        {"cursor": "e30"},
        {"search": "\x00"},
        {"role": "Owner!"},
    ]:
        with subtests.test(query=query):
            response = await auth.get("/users", token=admin, params=query)
            assert response.status_code == 422


async def test_user_management_by_others_is_rejected_and_audited(auth: Any) -> None:
    tokens = await auth.member()
    user = tokens["user"]
    calls = [("GET", "/users"), ("GET", f"/users/{user['id']}"), ("PATCH", f"/users/{user['id']}")]
    for method, path in calls:
        assert (await auth.call(method, path)).status_code == 401
        response = await auth.call(method, path, token=tokens["access_token"], json={"role": "admin"})
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    denied = await auth.events("auth.access.denied", at_least=3)
    assert [(each["method"], each["path"].removeprefix("/api/v1")) for each in denied] == calls
    assert {each["user_id"] for each in denied} == {user["id"]}
    messages = [message for message in auth.bus.published if message.type == "auth.access.denied"]
    assert {message.headers["actorid"] for message in messages} == {str(user["id"])}
    assert {message.headers["clientip"] for message in messages} == {"203.0.113.9"}


async def test_unknown_user_and_unknown_field_are_rejected(auth: Any) -> None:
    admin = await auth.admin_token()
    for user_id in (999, 2**63 - 1):
        assert (await auth.get(f"/users/{user_id}", token=admin)).status_code == 404
        assert (await auth.call("PATCH", f"/users/{user_id}", token=admin, json={})).status_code == 404
    for malformed in (0, -1, 2**63, "x"):
        assert (await auth.get(f"/users/{malformed}", token=admin)).status_code == 422
    user = await auth.register()
    for body in ({"password": "x"}, {"role": "owner"}, {"role": None}, {"is_active": None}, {"warehouse_ids": [0]}):
        response = await auth.call("PATCH", f"/users/{user['id']}", token=admin, json=body)
        assert response.status_code == 422, body


async def test_role_change_takes_effect_at_once_and_keeps_session(auth: Any) -> None:
    admin = await auth.admin_token()
    tokens = await auth.member()
    user = tokens["user"]
    seen = await auth.get(f"/users/{user['id']}", token=admin)
    response = await auth.call(
        "PATCH",
        f"/users/{user['id']}",
        token=admin,
        json={"role": "manager", "warehouse_ids": [3, 1, 3]},
        headers={"If-Match": seen.headers["ETag"]},
    )
    assert response.status_code == 200, response.text
    assert (response.json()["role"], response.json()["warehouse_ids"]) == ("manager", [1, 3])
    stale = {"If-Match": seen.headers["ETag"]}
    late = await auth.call("PATCH", f"/users/{user['id']}", token=admin, json={"role": "admin"}, headers=stale)
    assert late.status_code == 412
    revoked = (await auth.get(REVOCATIONS_PATH)).json()["session_ids"]
    assert revoked == [auth.claims(tokens)["sid"]]
    fresh = (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).json()
    claims = auth.claims(fresh)
    assert (claims["role"], claims["warehouse_ids"]) == ("manager", [1, 3])
    assert claims["sid"] not in revoked
    changed = await auth.event("auth.user.role_changed")
    assert changed["changes"] == {
        "role": {"from": "salesperson", "to": "manager"},
        "warehouse_ids": {"from": None, "to": [1, 3]},
    }
    assert (await auth.post("/auth/logout", token=fresh["access_token"])).status_code == 204
    assert (await auth.post("/auth/refresh", {"refresh_token": fresh["refresh_token"]})).status_code == 401


async def test_deactivation_revokes_sessions_and_keys_and_prevents_login(auth: Any) -> None:
    admin = await auth.admin_token()
    tokens = await auth.member()
    user = tokens["user"]
    key = (await auth.post("/auth/api-keys", {"name": "till"}, token=tokens["access_token"])).json()
    path = f"/users/{user['id']}"
    off = await auth.call("PATCH", path, token=admin, json={"is_active": False})
    assert off.json()["is_active"] is False
    revoked = (await auth.get(REVOCATIONS_PATH)).json()["session_ids"]
    assert sorted(revoked) == sorted([auth.claims(tokens)["sid"], f"key:{key['id']}"])
    assert (await auth.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status_code == 401
    assert (await auth.post(TOKEN_EXCHANGE_PATH, {"api_key": key["key"]})).status_code == 401
    login = {"username": user["username"], "password": PASSWORD}
    refused = await auth.post("/auth/login", login)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
    assert (await auth.call("PATCH", path, token=admin, json={"is_active": True})).status_code == 200
    assert (await auth.post("/auth/login", login)).status_code == 200
    assert (await auth.event("auth.user.deactivated"))["is_active"] is False
    assert (await auth.event("auth.user.reactivated"))["is_active"] is True


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
async def test_last_active_admin_is_not_demoted_or_deactivated(auth: Any, change: dict[str, Any]) -> None:
    admin = await auth.admin_token()
    boss = (await auth.get("/auth/profile", token=admin)).json()
    alone = await auth.call("PATCH", f"/users/{boss['id']}", token=admin, json=change)
    assert (alone.status_code, alone.json()["code"]) == (409, "last_admin")
    other = await auth.register_admin("second", token=admin)
    await auth.call("PATCH", f"/users/{other['id']}", token=admin, json={"is_active": False})
    still_alone = await auth.call("PATCH", f"/users/{boss['id']}", token=admin, json=change)
    assert still_alone.status_code == 409
    await auth.call("PATCH", f"/users/{other['id']}", token=admin, json={"is_active": True})
    assert (await auth.call("PATCH", f"/users/{boss['id']}", token=admin, json=change)).status_code == 200


async def test_concurrent_demotions_of_admins_leave_one(auth: Any) -> None:
    token = await auth.admin_token()
    admins = [(await auth.get("/auth/profile", token=token)).json()]
    admins += [await auth.register_admin(f"boss{number}", token=token) for number in range(3)]
    answers = await asyncio.gather(
        *(auth.call("PATCH", f"/users/{admin['id']}", token=token, json={"role": "manager"}) for admin in admins)
    )
    assert Counter(answer.status_code for answer in answers) == {200: 3, 409: 1}
    left = (await auth.get("/users", token=token, params={"role": "admin"})).json()
    assert left["total"] == 1


async def test_possible_recipients_of_reports_are_listed_without_user_read(auth: Any) -> None:
    admin = await auth.admin_token()
    role = {"name": "cashier", "permissions": ["report.read", "customer.read"]}
    assert (await auth.post("/roles", role, token=admin)).status_code == 201
    roles = {"mia": "manager", "sam": "salesperson", "vera": "viewer", "cara": "cashier", "gus": "manager"}
    ids = {}
    for name, given in roles.items():
        full_name = {"mia": "Mia Lopez"}.get(name)
        ids[name] = (await auth.register(username=name, email=f"{name}@shop.example.com", full_name=full_name))["id"]
        await auth.call("PATCH", f"/users/{ids[name]}", token=admin, json={"role": given, "is_active": name != "gus"})
    manager = (await auth.log_in("mia"))["access_token"]
    assert (await auth.get("/users", token=manager)).status_code == 403

    async def found(token: str, **query: Any) -> dict[str, list[str]]:
        items = (await auth.get("/report-recipients", token=token, params=query)).json()["items"]
        assert all(item.keys() == {"id", "name", "missing_permissions"} for item in items)
        return {item["name"]: item["missing_permissions"] for item in items}

    everyone = {"boss": [], "Mia Lopez": [], "sam": ["cost.read"], "cara": ["cost.read"]}
    assert await found(manager) == everyone
    assert await found(manager, search="MIA lop") == {"Mia Lopez": []}
    assert await found(manager, search="shop.example") == {}
    assert await found(manager, ids=[ids["sam"], ids["vera"], ids["gus"]]) == {"sam": ["cost.read"]}
    cashier = (await auth.log_in("cara"))["access_token"]
    assert await found(cashier) == {name: [] for name in everyone}
    viewer = (await auth.log_in("vera"))["access_token"]
    assert (await auth.get("/report-recipients", token=viewer)).status_code == 403
