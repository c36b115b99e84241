"""The permissions of every operation in the OpenAPI document, called with every set of permissions."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.apps import REDIRECT_URI, AppClient, Browser, code_of
from stockbuddy.chassis.testing.clients import PASSWORD, User, log_in, register

ENDS_THE_SESSION = {("post", "/auth/logout"), ("delete", "/auth/session")}
STREAMS = {("get", "/stream")}
SIGNED = {("get", "/products/999999/image")}
"""Without credentials the URL must carry a signature."""
LIMITED = {("post", "/auth/register"), ("post", "/auth/admin/register")}
"""They are public with conditions."""
CUSTOM = ["catalog.read", "stock.read", "stock.move", "stock.count", "sale.read", "event.read"]
SCOPES = ["catalog.read", "stock.move"]


@dataclass(frozen=True)
class Caller:
    """`headers`: its credentials. `permissions`: what it may do."""

    headers: Mapping[str, str]
    permissions: frozenset[str]
    is_user: bool = True


async def with_role(http: httpx.AsyncClient, admin: User, role: str) -> User:
    user = await register(http, f"user-{role}")
    changed = await admin.call("PATCH", f"/users/{user.tokens['user']['id']}", json={"role": role})
    assert changed.status_code == 200, changed.text
    return await log_in(http, f"user-{role}")


@pytest.fixture
async def callers(http: httpx.AsyncClient, admin: User, browser: Browser) -> dict[str, Caller]:
    """Users with each built-in role and with one of an admin's making, an API key with scopes, and an app with two."""
    await admin.post("/roles", {"name": "clerk", "permissions": CUSTOM})
    found: dict[str, Caller] = {}
    for role in ("viewer", "salesperson", "manager", "clerk"):
        user = await with_role(http, admin, role)
        found[role] = Caller(_bearer(user), frozenset((await user.get("/auth/profile"))["permissions"]))
    found["admin"] = Caller(_bearer(admin), frozenset((await admin.get("/auth/profile"))["permissions"]))
    assert found["clerk"].permissions == set(CUSTOM)
    key = await admin.post("/auth/api-keys", {"name": "till", "role": "manager", "scopes": SCOPES})
    found["key"] = Caller({"X-API-Key": key["key"]}, frozenset(SCOPES), is_user=False)
    found["app"] = await connect_app(http, admin, browser)
    return found


async def connect_app(http: httpx.AsyncClient, admin: User, browser: Browser) -> Caller:
    body = {"name": "Tool", "is_confidential": True, "redirect_uris": [REDIRECT_URI], "scopes": SCOPES}
    app = AppClient(http, await admin.post("/oauth/clients", body))
    await browser.open(app.url(scope=" ".join(SCOPES)))
    await browser.log_in(admin.username, PASSWORD)
    tokens = (await app.exchange(code_of(await browser.send("approve")))).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return Caller(headers, frozenset(SCOPES), is_user=False)


def _bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {user.tokens['access_token']}"}


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Method, path with a value for each parameter, permission, and whether API keys are rejected."""
    for path, item in document["paths"].items():
        for method, operation in item.items() if path.startswith("/api/") and not path.endswith("/ws") else ():
            filled = re.sub(r"\{[^}]+\}", "999999", path.replace("{name}", "unknown")).removeprefix("/api/v1")
            is_interactive = "Not with an API key" in operation["description"]
            yield method, filled, operation["x-permission"], is_interactive


def is_allowed(caller: Caller, permission: str, *, is_interactive: bool) -> bool:
    if is_interactive and not caller.is_user:
        return False
    return permission in ("public", "user") or caller.permissions.issuperset(permission.split())


async def test_every_operation_is_allowed_exactly_with_its_permissions(
    http: httpx.AsyncClient, callers: dict[str, Caller]
) -> None:
    document = (await http.get("/openapi.json")).json()
    wrong: list[str] = []
    for method, path, permission, is_interactive in calls(document):
        while (anonymous := await http.request(method, f"/api/v1{path}")).status_code == 429 and permission != "public":
            await asyncio.sleep(0.1)  # anonymous rate limit; a login's limit is a response to check
        is_rejected = permission != "public" or (method, path) in SIGNED
        if (anonymous.status_code == 401) != is_rejected and anonymous.status_code != 400:
            wrong.append(f"{method} {path} ({permission}) anonymously: {anonymous.status_code}")
        for name, caller in callers.items():
            allowed = is_allowed(caller, permission, is_interactive=is_interactive)
            if allowed and (method, path) in ENDS_THE_SESSION | STREAMS:
                continue
            status = (await http.request(method, f"/api/v1{path}", headers=caller.headers)).status_code
            is_wrong = (status == 403) == allowed and (method, path) not in LIMITED
            if is_wrong or (status == 401 and permission != "public"):
                wrong.append(f"{method} {path} ({permission}) as {name}: {status}")
    assert not wrong


async def test_change_of_role_takes_effect_at_once(http: httpx.AsyncClient, admin: User) -> None:
    await admin.post("/roles", {"name": "clerk", "permissions": CUSTOM})
    clerk = await with_role(http, admin, "clerk")
    key = await clerk.post("/auth/api-keys", {"name": "till"})
    with_key = {"X-API-Key": key["key"]}
    assert (await clerk.call("GET", "/sales")).status_code == 200
    assert (await http.get("/api/v1/sales", headers=with_key)).status_code == 200
    async with http.stream("GET", "/api/v1/stream", headers=_bearer(clerk)) as stream:
        changed = await admin.call("PATCH", "/roles/clerk", json={"permissions": ["catalog.read"]})
        assert changed.status_code == 200, changed.text
        async for _ in stream.aiter_lines():
            pass  # until the stream ends
    assert (await clerk.call("GET", "/sales")).status_code == 401, "the token has the former permissions"
    again = await log_in(http, "user-clerk")
    assert (await again.call("GET", "/sales")).status_code == 403
    assert (await again.call("GET", "/products")).status_code == 200
    while (await http.get("/api/v1/sales", headers=with_key)).status_code != 403:
        await asyncio.sleep(0.05)
    assert (await http.get("/api/v1/products", headers=with_key)).status_code == 200


async def test_role_in_use_is_not_deleted(http: httpx.AsyncClient, admin: User) -> None:
    await admin.post("/roles", {"name": "clerk", "permissions": CUSTOM})
    clerk = await with_role(http, admin, "clerk")
    path = f"/users/{clerk.tokens['user']['id']}"
    uses: list[tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = [
        ((path, {"role": "clerk"}), (path, {"role": "viewer"})),
        (("/system-settings", {"registration_role": "clerk"}), ("/system-settings", {"registration_role": "viewer"})),
        (("/system-settings", {"second_factor_roles": ["clerk"]}), ("/system-settings", {"second_factor_roles": []})),
    ]
    for use, release in uses:
        assert (await admin.call("PATCH", use[0], json=use[1])).status_code == 200
        assert (await admin.call("DELETE", "/roles/clerk")).json()["code"] == "role_in_use"
        assert (await admin.call("PATCH", release[0], json=release[1])).status_code == 200
    invitation = await admin.post("/auth/invitations", {"role": "clerk"})
    assert (await admin.call("DELETE", "/roles/clerk")).status_code == 409
    await admin.call("DELETE", f"/auth/invitations/{invitation['id']}")
    assert (await admin.call("DELETE", "/roles/clerk")).status_code == 204
    assert (await admin.call("PATCH", path, json={"role": "clerk"})).json()["code"] == "unknown_role"
    for method, body in (("PATCH", {"description": "x"}), ("DELETE", None)):
        assert (await admin.call(method, "/roles/manager", json=body)).json()["code"] == "built_in_role"


async def test_nobody_gives_rights_that_they_do_not_have(http: httpx.AsyncClient, admin: User) -> None:
    deputy = ["user.read", "user.manage", "role.manage", "invitation.manage", "setting.read", "setting.write"]
    await admin.post("/roles", {"name": "deputy", "permissions": deputy})
    user = await with_role(http, admin, "deputy")
    other = await register(http, "otto")
    boss_id, other_id = admin.tokens["user"]["id"], other.tokens["user"]["id"]
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/roles", {"name": "boss", "permissions": [*deputy, "cost.read"]}),
        ("PATCH", "/roles/deputy", {"permissions": [*deputy, "cost.read"]}),
        ("PATCH", f"/users/{other_id}", {"role": "admin"}),
        ("PATCH", f"/users/{boss_id}", {"is_active": False}),
        ("DELETE", f"/users/{boss_id}/factors", {}),
        ("POST", "/auth/invitations", {"role": "manager"}),
        ("POST", "/auth/admin/register", {"email": "eve@example.com", "password": "violet-Harbour-71"}),
        ("PATCH", "/system-settings", {"registration_role": "admin"}),
        ("POST", "/auth/api-keys", {"name": "till", "role": "manager"}),
    ]
    for method, path, body in attempts:
        refused = await user.call(method, path, json=body or None)
        assert (refused.status_code, refused.json()["code"]) == (403, "rights_exceeded"), (path, refused.text)
    limited = await user.post("/roles", {"name": "reader", "permissions": ["user.read"]})
    assert limited["permissions"] == ["user.read"]


async def test_api_key_is_accepted_from_its_networks_only(http: httpx.AsyncClient, admin: User) -> None:
    here = await admin.post("/auth/api-keys", {"name": "here", "networks": ["127.0.0.0/8", "::1"]})
    elsewhere = await admin.post("/auth/api-keys", {"name": "elsewhere", "networks": ["203.0.113.0/24"]})
    assert here["networks"] == ["127.0.0.0/8", "::1/128"]
    assert (await http.get("/api/v1/products", headers={"X-API-Key": here["key"]})).status_code == 200
    refused = await http.get("/api/v1/products", headers={"X-API-Key": elsewhere["key"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "network_not_allowed")
