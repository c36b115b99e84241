"""Sign-in at an identity provider through the gateway, and forged tokens of the provider."""

import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User
from stockbuddy.chassis.testing.identity_provider import Provider

START, CALLBACK = "/api/v1/auth/oidc/corp/start", "/api/v1/auth/oidc/corp/callback"

# The provider uses an interface of Authlib that will be removed.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")


async def sign_in(http: httpx.AsyncClient, provider: Provider, email: str, **claims: Any) -> httpx.Response:
    """The response to the callback, in a browser without other cookies."""
    http.cookies.clear()
    started = await http.get(START)
    assert (started.status_code, urlsplit(started.headers["location"]).path) == (303, "/oauth2/authorize")
    claims = {"email": email, "email_verified": True, **claims}
    query = await provider.authorize(started.headers["location"], email, **claims)
    response = await http.get(CALLBACK, params=query)
    http.cookies.clear()
    return response


async def test_browser_signs_in_and_uses_the_services(
    http: httpx.AsyncClient, admin: User, identity_provider: Provider
) -> None:
    assert [item["name"] for item in (await http.get("/api/v1/auth/providers")).json()["items"]] == ["corp"]
    done = await sign_in(http, identity_provider, f"{uuid4().hex[:8]}@example.com")
    assert (done.status_code, done.headers["location"]) == (303, "http://localhost:8000/")
    cookie = {"Cookie": f"session={done.cookies['session']}"}
    assert (await http.get("/api/v1/products", headers=cookie)).status_code == 200
    ended = {**cookie, "X-CSRF-Token": done.cookies["csrf_token"]}
    ended["Cookie"] += f"; csrf_token={done.cookies['csrf_token']}"
    assert (await http.delete("/api/v1/auth/session", headers=ended)).status_code == 204
    leaving = await http.get("/api/v1/auth/oidc/corp/logout")
    assert (leaving.status_code, urlsplit(leaving.headers["location"]).path) == (303, "/oauth2/end_session")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nonce": "x" * 43}, (401, "sign_in_failed")),
        ({"aud": "another-client"}, (401, "sign_in_failed")),
        ({"iat": time.time() + 3600, "exp": time.time() + 7200}, (401, "sign_in_failed")),
        ({"email_verified": False}, (403, "email_not_verified")),
    ],
)
async def test_forged_sign_in_opens_nothing(
    http: httpx.AsyncClient,
    admin: User,
    identity_provider: Provider,
    changes: dict[str, Any],
    expected: tuple[int, str],
) -> None:
    identity_provider.tamper = lambda claims: {**claims, **changes}
    try:
        refused = await sign_in(http, identity_provider, f"{uuid4().hex[:8]}@example.com")
    finally:
        identity_provider.tamper = dict
    assert (refused.status_code, refused.json()["code"]) == expected
    assert "session" not in refused.cookies
