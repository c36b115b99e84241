"""Registration of apps, the consents of users, and what ends the tokens of apps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stockbuddy.auth.cleanup import delete_expired
from stockbuddy.chassis.testing.apps import REDIRECT_URI, AppClient, Browser, code_of
from stockbuddy.contracts.internal import LAST_USED_PATH, REVOCATIONS_PATH

PASSWORD = "violet-Harbour-71"
BODY: dict[str, Any] = {
    "name": "Till <b>Pro</b>",
    "homepage_url": "https://app.example.com/",
    "is_confidential": True,
    "redirect_uris": [REDIRECT_URI],
    "scopes": ["stock.read", "catalog.read", "sale.create"],
}


async def register_app(auth: Any, token: str, **changes: Any) -> AppClient:
    response = await auth.post("/oauth/clients", {**BODY, **changes}, token=token)
    assert response.status_code == 201, response.text
    return AppClient(auth.client, response.json())


async def authorize(auth: Any, app: AppClient, username: str, **changes: Any) -> dict[str, Any]:
    """The tokens that the app gets from a user who logs in and consents."""
    browser = Browser(auth.client)
    auth.client.cookies.clear()
    await browser.open(app.url(**changes))
    await browser.log_in(username, PASSWORD)
    response = await app.exchange(code_of(await browser.send("approve")))
    assert response.status_code == 200, response.text
    auth.client.cookies.clear()
    tokens: dict[str, Any] = response.json()
    return tokens


async def revoked_sids(auth: Any) -> list[str]:
    sids: list[str] = (await auth.get(REVOCATIONS_PATH)).json()["session_ids"]
    return sids


async def test_admin_registers_changes_and_deletes_an_app(auth: Any) -> None:
    token = await auth.admin_token()
    created = await auth.post("/oauth/clients", BODY, token=token, headers={"Idempotency-Key": "1"})
    assert created.status_code == 201, created.text
    app = created.json()
    secret = app.pop("client_secret")
    assert secret.startswith("sbs_")
    assert secret.endswith(app["secret_hint"])
    assert app["client_id"] == f"app-{app['id']}"
    assert app["scopes"] == ["catalog.read", "stock.read", "sale.create"]
    assert created.headers["Location"] == f"/api/v1/oauth/clients/{app['id']}"
    again = await auth.post("/oauth/clients", BODY, token=token, headers={"Idempotency-Key": "1"})
    assert again.json()["client_secret"] == secret
    read = await auth.get(f"/oauth/clients/{app['id']}", token=token)
    assert read.json() == app
    assert (await auth.get("/oauth/clients", token=token)).json()["items"] == [app]
    path, etag = f"/oauth/clients/{app['id']}", read.headers["ETag"]
    changed = await auth.call("PATCH", path, token=token, json={"name": "Till"}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["name"], changed.json()["version"]) == (200, "Till", 2)
    stale = await auth.call("PATCH", path, token=token, json={"name": "Other"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    rotated = (await auth.post(f"{path}/rotate-secret", token=token)).json()
    assert rotated["client_secret"] not in (secret, None)
    assert (await auth.call("DELETE", path, token=token)).status_code == 204
    assert (await auth.get(path, token=token)).status_code == 404
    events = [await auth.event(f"auth.app.{verb}") for verb in ("created", "deleted")]
    events += await auth.events("auth.app.updated", at_least=2)
    assert [event["version"] for event in events] == [1, 3, 2, 3]
    assert not any(text in str(events) for text in (secret, rotated["client_secret"]))


async def test_apps_have_at_most_the_permissions_of_who_manages_them(auth: Any) -> None:
    token = await auth.admin_token()
    app = await register_app(auth, token, scopes=["catalog.read", "user.manage"])
    role = {"name": "app-manager", "permissions": ["app.manage", "catalog.read"]}
    assert (await auth.post("/roles", role, token=token)).status_code == 201
    user = await auth.register()
    path = f"/users/{user['id']}"
    assert (await auth.call("PATCH", path, token=token, json={"role": "app-manager"})).status_code == 200
    limited = (await auth.log_in(user["username"]))["access_token"]
    path = f"/oauth/clients/{app.registered['id']}"
    for method, target, body in [
        ("POST", "/oauth/clients", {**BODY, "scopes": ["catalog.read", "stock.read"]}),
        ("PATCH", path, {"redirect_uris": ["https://thief.example.com/"]}),
        ("POST", f"{path}/rotate-secret", None),
        ("DELETE", path, None),
    ]:
        response = await auth.call(method, target, token=limited, json=body)
        assert (response.status_code, response.json()["code"]) == (403, "rights_exceeded")
    assert (await auth.get(path, token=limited)).status_code == 200
    member = (await auth.member())["access_token"]
    assert (await auth.get("/oauth/clients", token=member)).status_code == 403


UNSAFE_REDIRECT_URIS = [
    "http://app.example.com/callback",
    "https://app.example.com/callback#part",
    "https://user@app.example.com/callback",
    "https://app.example.com\\@thief.example.com/",
    "https://app.example.com/ä",
    "https://app.example.com:port/",
    "https:///callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "myapp:/callback",
    "http://127.0.0.1.thief.example.com/callback",
    "http://127.0.0.1@thief.example.com/callback",
    "https://app.example.com/\r\nSet-Cookie: a=b",
]


async def test_unsafe_redirect_uris_are_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    token = await auth.admin_token()
    for uri in UNSAFE_REDIRECT_URIS:
        with subtests.test(uri=uri):
            response = await auth.post("/oauth/clients", {**BODY, "redirect_uris": [uri]}, token=token)
            assert response.status_code == 422, response.text
            assert response.json()["errors"][0]["field"] == "redirect_uris.0"


async def test_user_lists_and_withdraws_consents(auth: Any) -> None:
    app = await register_app(auth, await auth.admin_token())
    user = await auth.register()
    tokens = await authorize(auth, app, user["username"])
    claims = auth.claims(tokens)
    assert claims["client_id"] == app.client_id
    assert claims["scope"] == tokens["scope"] == "catalog.read stock.read"
    assert claims["sid"].startswith("app:")
    used = {"session_id": claims["sid"], "used_at": "2020-01-01T00:00:00Z"}
    assert (await auth.post(LAST_USED_PATH, {"sessions": [used]})).status_code == 204
    session = (await auth.log_in(user["username"]))["access_token"]
    (consent,) = (await auth.get("/auth/consents", token=session)).json()["items"]
    assert consent["client_id"] == app.client_id
    assert consent["scopes"] == ["catalog.read", "stock.read"]
    assert consent["last_used_at"] > "2020-01-02"
    path = f"/auth/consents/{app.registered['id']}"
    assert (await auth.call("DELETE", path, token=tokens["access_token"])).json()["code"] == "interactive_only"
    assert (await auth.call("DELETE", path, token=session)).status_code == 204
    assert (await auth.call("DELETE", path, token=session)).status_code == 404
    assert claims["sid"] in await revoked_sids(auth)
    refused = await app.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    granted = await auth.event("auth.consent.granted")
    assert (granted["user_id"], granted["scopes"]) == (user["id"], ["catalog.read", "stock.read"])
    assert (await auth.event("auth.consent.withdrawn"))["reason"] == "withdrawn"
    assert (await auth.event("auth.app_grant.ended"))["reason"] == "consent_withdrawn"


async def test_app_loses_what_its_user_loses(auth: Any) -> None:
    admin = await auth.admin_token()
    app = await register_app(auth, admin)
    user = await auth.register()
    tokens = await authorize(auth, app, user["username"], scope="catalog.read sale.create")
    assert tokens["scope"] == "catalog.read sale.create"
    path = f"/users/{user['id']}"
    assert (await auth.call("PATCH", path, token=admin, json={"role": "viewer"})).status_code == 200
    assert auth.claims(tokens)["sid"] in await revoked_sids(auth)
    tokens = (await app.refresh(tokens["refresh_token"])).json()
    assert tokens["scope"] == "catalog.read"
    assert auth.claims(tokens)["sid"].endswith(".1")
    role = {"name": "cashier", "permissions": ["catalog.read", "sale.create"]}
    assert (await auth.post("/roles", role, token=admin)).status_code == 201
    assert (await auth.call("PATCH", path, token=admin, json={"role": "cashier"})).status_code == 200
    tokens = (await app.refresh(tokens["refresh_token"])).json()
    assert tokens["scope"] == "catalog.read sale.create"
    narrower = {"permissions": ["sale.create"]}
    assert (await auth.call("PATCH", "/roles/cashier", token=admin, json=narrower)).status_code == 200
    assert auth.claims(tokens)["sid"] in await revoked_sids(auth)
    tokens = (await app.refresh(tokens["refresh_token"])).json()
    assert tokens["scope"] == "sale.create"
    assert (await auth.call("PATCH", path, token=admin, json={"is_active": False})).status_code == 200
    assert auth.claims(tokens)["sid"] in await revoked_sids(auth)
    assert (await app.refresh(tokens["refresh_token"])).status_code == 400


async def test_app_loses_what_it_may_not_ask_for_any_more(auth: Any) -> None:
    admin = await auth.admin_token()
    app = await register_app(auth, admin)
    tokens = await authorize(auth, app, (await auth.register())["username"])
    path = f"/oauth/clients/{app.registered['id']}"
    changed = await auth.call("PATCH", path, token=admin, json={"scopes": ["stock.read"]})
    assert changed.status_code == 200
    assert auth.claims(tokens)["sid"] in await revoked_sids(auth)
    tokens = (await app.refresh(tokens["refresh_token"])).json()
    assert tokens["scope"] == "stock.read"
    assert (await auth.call("DELETE", path, token=admin)).status_code == 204
    assert auth.claims(tokens)["sid"] in await revoked_sids(auth)
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_client"


@pytest.mark.parametrize("withdraw", [True, False])
async def test_changed_password_withdraws_consents_if_asked(auth: Any, withdraw: bool) -> None:
    app = await register_app(auth, await auth.admin_token())
    user = await auth.register()
    tokens = await authorize(auth, app, user["username"])
    session = (await auth.log_in(user["username"]))["access_token"]
    new = "amber-Lantern-92"
    body = {"old_password": PASSWORD, "new_password": new, "confirm_password": new, "withdraw_consents": withdraw}
    assert (await auth.post("/auth/password/change", body, token=session)).status_code == 200
    assert (await app.refresh(tokens["refresh_token"])).status_code == (400 if withdraw else 200)


async def test_app_can_do_nothing_that_needs_its_user_in_person(auth: Any) -> None:
    admin = await auth.admin_token()
    app = await register_app(auth, admin, scopes=["user.manage", "role.manage", "app.manage", "catalog.read"])
    tokens = await authorize(auth, app, "boss", scope=None)
    for path, body in [
        ("/roles", {"name": "other", "permissions": ["catalog.read"]}),
        ("/oauth/clients", {**BODY, "scopes": ["catalog.read"]}),
        ("/auth/api-keys", {"name": "key"}),
        ("/auth/stream-ticket", None),
    ]:
        response = await auth.post(path, body, token=tokens["access_token"])
        assert (response.status_code, response.json()["code"]) == (403, "interactive_only"), path
    assert (await auth.get("/auth/profile", token=tokens["access_token"])).status_code == 403


async def test_codes_and_grants_are_deleted_after_their_retention(auth: Any) -> None:
    app = await register_app(auth, await auth.admin_token(), allows_device_flow=True)
    tokens = await authorize(auth, app, (await auth.register())["username"])
    await auth.client.post("/api/v1/oauth/device", data=app.credentials)
    database, counts = auth.app.state.resources.database, []
    for days in (0, 2, 29, 100):
        await delete_expired(database, datetime.now(UTC) + timedelta(days=days))
        async with database.raw() as connection:
            tables = ("authorization_code", "device_authorization", "grant", "refresh_token")
            counts.append([await connection.fetchval(f"SELECT count(*) FROM app_{table}") for table in tables])
    assert counts == [[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]
    assert (await app.refresh(tokens["refresh_token"])).status_code == 400
