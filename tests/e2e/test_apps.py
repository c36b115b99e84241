"""Apps of third parties at the gateway: with Authlib as their OAuth2 client, and what ends their access."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client

from stockbuddy.chassis.testing.apps import REDIRECT_URI, AppClient, Browser, code_of
from stockbuddy.chassis.testing.clients import DEADLINE_SECONDS, PASSWORD, User

BODY: dict[str, Any] = {
    "name": "Order Tool",
    "is_confidential": True,
    "redirect_uris": [REDIRECT_URI],
    "scopes": ["catalog.read", "catalog.write", "sale.read"],
    "allows_device_flow": True,
}


async def authorize(http: httpx.AsyncClient, registered: dict[str, Any], browser: Browser, user: User) -> Any:
    app = AppClient(http, registered)
    await browser.open(app.url(scope="catalog.read catalog.write", prompt="consent"))
    if "Password" in browser.text:
        await browser.log_in(user.username, PASSWORD)
    response = await app.exchange(code_of(await browser.send("approve")))
    assert response.status_code == 200, response.text
    return app, response.json()


async def call(http: httpx.AsyncClient, tokens: dict[str, Any], method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {tokens['access_token']}", **more.pop("headers", {})}
    return await http.request(method, f"/api/v1{path}", headers=headers, **more)


async def until_refused(http: httpx.AsyncClient, tokens: dict[str, Any]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await call(http, tokens, "GET", "/products")).status_code != 401:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
async def test_authlib_connects_an_app(
    http: httpx.AsyncClient, admin: User, salesperson: User, browser: Browser, base_url: str, method: str
) -> None:
    registered = await admin.post("/oauth/clients", {**BODY, "is_confidential": method != "none"})
    metadata = (await http.get("/.well-known/oauth-authorization-server")).json()
    endpoints = {name: base_url + urlsplit(url).path for name, url in metadata.items() if name.endswith("_endpoint")}
    async with AsyncOAuth2Client(
        registered["client_id"],
        registered["client_secret"],
        token_endpoint_auth_method=method,
        scope="catalog.read sale.read",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        revocation_endpoint_auth_method=method,
    ) as client:
        verifier = "a-code-verifier-that-has-at-least-43-characters"
        url, state = client.create_authorization_url(endpoints["authorization_endpoint"], code_verifier=verifier)
        await browser.open(url.removeprefix(base_url))
        await browser.log_in(salesperson.username, PASSWORD)
        location = (await browser.send("approve")).headers["location"]
        token = await client.fetch_token(
            endpoints["token_endpoint"], authorization_response=location, state=state, code_verifier=verifier
        )
        assert token["scope"] == "catalog.read sale.read"
        assert (await client.get(f"{base_url}/api/v1/products")).status_code == 200
        assert (await client.get(f"{base_url}/api/v1/sales")).status_code == 200
        for path, code in [("/stock-levels", "forbidden"), ("/auth/profile", "interactive_only")]:
            refused = await client.get(f"{base_url}/api/v1{path}")
            assert (refused.status_code, refused.json()["code"]) == (403, code)
        refreshed = await client.refresh_token(endpoints["token_endpoint"])
        assert refreshed["refresh_token"] != token["refresh_token"]
        if method != "none":
            status = await client.introspect_token(endpoints["introspection_endpoint"], refreshed["access_token"])
            assert status.json()["active"] is True
        revoked = await client.revoke_token(endpoints["revocation_endpoint"], refreshed["refresh_token"])
        assert revoked.status_code == 200
    await until_refused(http, refreshed)


async def test_app_loses_access_with_its_consent_its_user_or_its_registration(
    http: httpx.AsyncClient, admin: User, salesperson: User, browser: Browser
) -> None:
    registered = await admin.post("/oauth/clients", BODY)
    _, tokens = await authorize(http, registered, browser, salesperson)
    (consent,) = (await salesperson.get("/auth/consents"))["items"]
    assert (await salesperson.call("DELETE", f"/auth/consents/{consent['app_id']}")).status_code == 204
    await until_refused(http, tokens)
    app, tokens = await authorize(http, registered, browser, salesperson)
    path = f"/users/{salesperson.tokens['user']['id']}"
    assert (await admin.call("PATCH", path, json={"role": "viewer"})).status_code == 200
    await until_refused(http, tokens)
    tokens = (await app.refresh(tokens["refresh_token"])).json()
    assert tokens["scope"] == "catalog.read"
    assert (await call(http, tokens, "GET", "/products")).status_code == 200
    assert (await call(http, tokens, "POST", "/products", json={"name": "A", "sku": "A", "unit_price": 1})).json()[
        "code"
    ] == "forbidden"
    assert (await admin.call("DELETE", f"/oauth/clients/{registered['id']}")).status_code == 204
    await until_refused(http, tokens)


async def test_open_stream_ends_with_its_grant(
    http: httpx.AsyncClient, admin: User, salesperson: User, browser: Browser
) -> None:
    registered = await admin.post("/oauth/clients", {**BODY, "scopes": ["catalog.read", "catalog.write", "event.read"]})
    _, tokens = await authorize(http, registered, browser, salesperson)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    async with http.stream("GET", "/api/v1/stream", headers=headers) as stream:
        assert stream.status_code == 200
        assert (await salesperson.call("DELETE", f"/auth/consents/{registered['id']}")).status_code == 204
        async for _ in stream.aiter_lines():
            pass  # until the stream ends


async def test_idempotency_keys_belong_to_the_grant(
    http: httpx.AsyncClient, admin: User, salesperson: User, browser: Browser
) -> None:
    """A till repeats a request after a refresh; another till of the same user uses the same key."""
    registered = await admin.post("/oauth/clients", BODY)
    app, first = await authorize(http, registered, browser, salesperson)
    _, other = await authorize(http, registered, browser, salesperson)
    headers = {"Idempotency-Key": "1"}
    body = {"name": "Tea", "sku": "TEA", "unit_price": "2.50"}
    created = await call(http, first, "POST", "/products", json=body, headers=headers)
    assert created.status_code == 201, created.text
    assert created.json()["owner_id"] == salesperson.tokens["user"]["id"]
    first = (await app.refresh(first["refresh_token"])).json()
    repeated = await call(http, first, "POST", "/products", json=body, headers=headers)
    assert (repeated.status_code, repeated.headers["Idempotent-Replayed"]) == (201, "true")
    assert repeated.json() == created.json()
    taken = await call(http, other, "POST", "/products", json=body, headers=headers)
    assert (taken.status_code, "Idempotent-Replayed" in taken.headers) == (409, False)


async def test_cross_site_form_cannot_use_the_session(
    http: httpx.AsyncClient, admin: User, salesperson: User, browser: Browser
) -> None:
    """The gateway does not check the CSRF token of these pages: their forms have one of their own."""
    app = AppClient(http, await admin.post("/oauth/clients", BODY))
    url = app.url(scope="catalog.read")
    page = await browser.open(url)
    assert page.status_code == 200
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    await browser.log_in(salesperson.username, PASSWORD)
    forged = await browser.http.post(
        url, data={"action": "approve"}, headers={"Origin": "https://thief.example.com"}, follow_redirects=False
    )
    assert (forged.status_code, "location" in forged.headers) == (400, False)
