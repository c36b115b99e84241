"""Saved views: own and shared ones, their names and versions, and who may change them."""

from typing import Any

import pytest

from stockbuddy.auth.views import commands
from stockbuddy.auth.views.schemas import MAX_NAME_LENGTH, MAX_QUERY_LENGTH

LOW = {"path": "/products", "name": "Running low", "query": "sort_by=available_asc&stock=low"}


async def found(auth: Any, token: str, **query: Any) -> list[tuple[str, str]]:
    page = (await auth.get("/views", token=token, params=query)).json()
    assert page["total"] == len(page["items"])
    return [(view["name"], view["owner"]) for view in page["items"]]


async def seller(auth: Any) -> str:
    token: str = (await auth.member())["access_token"]
    return token


async def test_view_is_saved_changed_and_deleted_with_events(auth: Any) -> None:
    token = await seller(auth)
    key = {"Idempotency-Key": "view-1"}
    created = await auth.post("/views", LOW, token=token, headers=key)
    assert created.status_code == 201, created.text
    view = created.json()
    assert (view["name"], view["query"], view["is_shared"], view["version"]) == (*list(LOW.values())[1:], False, 1)
    assert created.headers["Location"] == f"/api/v1/views/{view['id']}"
    assert (await auth.post("/views", LOW, token=token, headers=key)).json() == view
    path = f"/views/{view['id']}"
    read = await auth.get(path, token=token)
    assert (read.json(), read.headers["ETag"]) == (view, created.headers["ETag"])
    match = {"If-Match": read.headers["ETag"]}
    renamed = await auth.call("PATCH", path, token=token, json={"name": "Low"}, headers=match)
    assert (renamed.json()["name"], renamed.json()["query"], renamed.headers["ETag"]) == ("Low", LOW["query"], '"2"')
    unchanged = await auth.call("PATCH", path, token=token, json={"name": "Low"})
    assert unchanged.json()["version"] == 2
    for method, body in (("PATCH", {"query": ""}), ("DELETE", None)):
        assert (await auth.call(method, path, token=token, json=body, headers=match)).status_code == 412
    assert await found(auth, token) == [("Low", view["owner"])]
    assert (await auth.call("DELETE", path, token=token)).status_code == 204
    assert (await auth.get(path, token=token)).json()["code"] == "view_not_found"
    assert (await auth.event("auth.view.created"))["query"] == LOW["query"]
    assert (await auth.event("auth.view.updated"))["changes"] == {"name": {"from": "Running low", "to": "Low"}}
    assert (await auth.event("auth.view.deleted"))["view_id"] == view["id"]


async def test_names_are_unique_for_owner_and_list(auth: Any) -> None:
    first, second = await seller(auth), await seller(auth)
    assert (await auth.post("/views", LOW, token=first)).status_code == 201
    repeated = await auth.post("/views", LOW | {"name": "RUNNING low "}, token=first)
    assert (repeated.status_code, repeated.json()["code"]) == (409, "view_exists")
    assert (await auth.post("/views", LOW | {"path": "/stock-levels"}, token=first)).status_code == 201
    other = (await auth.post("/views", LOW | {"name": "Other"}, token=first)).json()
    renamed = await auth.call("PATCH", f"/views/{other['id']}", token=first, json={"name": LOW["name"]})
    assert (renamed.status_code, renamed.json()["code"]) == (409, "view_exists")
    assert (await auth.post("/views", LOW, token=second)).status_code == 201
    assert [name for name, _ in await found(auth, first, path="/products")] == ["Other", "Running low"]
    assert len(await found(auth, first)) == 3


async def test_shared_views_are_seen_by_all_and_changed_by_their_owner(auth: Any) -> None:
    admin, token = await auth.admin_token(), await seller(auth)
    refused = await auth.post("/views", LOW | {"is_shared": True}, token=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    own = (await auth.post("/views", LOW, token=token)).json()
    share = await auth.call("PATCH", f"/views/{own['id']}", token=token, json={"is_shared": True})
    assert (share.status_code, share.json()["code"]) == (403, "forbidden")
    for view_id in (own["id"], 999):
        hidden = await auth.get(f"/views/{view_id}", token=admin)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "view_not_found")
    shared = (await auth.post("/views", LOW | {"is_shared": True}, token=admin)).json()
    assert await found(auth, token, path="/products") == [("Running low", own["owner"]), ("Running low", "boss")]
    path = f"/views/{shared['id']}"
    assert (await auth.get(path, token=token)).json()["owner"] == "boss"
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        foreign = await auth.call(method, path, token=token, json=body)
        assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign_view")
    assert (await auth.call("PATCH", path, token=admin, json={"is_shared": False})).status_code == 200
    assert (await auth.get(path, token=token)).status_code == 404


async def test_who_may_share_deletes_shared_views_of_others(auth: Any) -> None:
    admin = await auth.admin_token()
    tokens = await auth.member()
    await auth.call("PATCH", f"/users/{tokens['user']['id']}", token=admin, json={"role": "manager"})
    manager = (await auth.log_in(tokens["user"]["username"]))["access_token"]
    view = (await auth.post("/views", LOW | {"is_shared": True}, token=manager)).json()
    changed = await auth.call("PATCH", f"/views/{view['id']}", token=admin, json={"name": "Mine"})
    assert changed.json()["code"] == "foreign_view"
    assert (await auth.call("DELETE", f"/views/{view['id']}", token=admin)).status_code == 204
    assert await found(auth, manager) == []


async def test_invalid_view_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    token = await seller(auth)
    longest = LOW | {"name": "n" * MAX_NAME_LENGTH, "query": "q" * MAX_QUERY_LENGTH}
    assert (await auth.post("/views", longest, token=token)).status_code == 201
    for wrong in (
        {"path": "products"}, {"path": "/Products?x"}, {"path": "/"}, {"name": " "},
        {"name": "n" * (MAX_NAME_LENGTH + 1)},
        {"query": "q" * (MAX_QUERY_LENGTH + 1)}, {"query": "a\x00"}, {"query": None}, {"is_shared": 1}, {"owner_id": 1},
    ):  # fmt: skip
        with subtests.test(wrong=str(wrong)[:40]):
            assert (await auth.post("/views", LOW | wrong, token=token)).status_code == 422
    assert (await auth.get("/views", params={"path": "x"}, token=token)).status_code == 422


async def test_number_of_views_is_limited(auth: Any) -> None:
    token = await seller(auth)
    for number in range(commands.MAX_VIEWS_PER_USER):
        assert (await auth.post("/views", LOW | {"name": f"View {number}"}, token=token)).status_code == 201
    full = await auth.post("/views", LOW, token=token)
    assert (full.status_code, full.json()["code"]) == (409, "too_many_views")
    page = (await auth.get("/views", token=token, params={"page_size": 100})).json()
    assert (page["total"], len(page["items"])) == (commands.MAX_VIEWS_PER_USER, 100)
    rest = (await auth.get("/views", token=token, params={"page_size": 100, "cursor": page["next_cursor"]})).json()
    assert len(rest["items"]) == commands.MAX_VIEWS_PER_USER - 100
