"""Sign-in with OpenID Connect at a real provider (oidc-provider-mock, on Authlib), and with the tokens that an attacker
or a broken provider would send."""

import base64
import hashlib
import html
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2 as httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from stockbuddy.chassis.testing.apps import REDIRECT_URI, AppClient, Browser, parameters_of
from stockbuddy.chassis.testing.identity_provider import Claims, Provider, running_provider
from stockbuddy.contracts.internal import TOKEN_EXCHANGE_PATH

PASSWORD = "violet-Harbour-71"
PUBLIC_URL = "https://shop.example.com/app"
CLIENT = {"client_id": "stockbuddy", "client_secret": "a secret: with+signs"}
COOKIE = "oidc_sign_in"
ANN: Claims = {"email": "ann@example.com", "email_verified": True, "name": "Ann  Archer"}

# The provider uses an interface of Authlib that will be removed.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider(f"{PUBLIC_URL}/api/v1/auth/oidc/corp/callback") as running:
        yield running


@dataclass
class Shop:
    """Auth with the provider, and one browser's cookies."""

    auth: Any
    provider: Provider

    async def start(self, **query: str) -> tuple[str, str]:
        """Where the browser is sent, and the value of its cookie."""
        started = await self.auth.get("/auth/oidc/corp/start", params=query)
        assert started.status_code == 303, started.text
        self.auth.client.cookies.clear()
        return started.headers["location"], started.cookies[COOKIE]

    async def finish(self, query: dict[str, str], cookie: str | None) -> httpx.Response:
        headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        response: httpx.Response = await self.auth.get("/auth/oidc/corp/callback", params=query, headers=headers)
        self.auth.client.cookies.clear()
        return response

    async def sign_in(self, subject: str = "ann", **claims: Any) -> httpx.Response:
        url, cookie = await self.start()
        return await self.finish(await self.provider.authorize(url, subject, **claims), cookie)

    async def user(self, response: httpx.Response) -> dict[str, Any]:
        """The profile that the cookie of the response gives access to."""
        assert response.status_code == 303, response.text
        exchanged = await self.auth.post(TOKEN_EXCHANGE_PATH, {"session_cookie": response.cookies["session"]})
        user: dict[str, Any] = (await self.auth.get("/auth/profile", token=exchanged.json()["access_token"])).json()
        return user


@pytest.fixture
async def shop(another_auth: Any, provider: Provider) -> AsyncIterator[Shop]:
    async with another_auth(public_url=PUBLIC_URL, oidc_providers=[configuration(provider)]) as auth:
        yield Shop(auth, provider)


def configuration(provider: Provider, **changes: Any) -> dict[str, Any]:
    return {"name": "corp", "title": "Corp", "issuer": provider.url, **CLIENT, **changes}


async def test_browser_signs_in_at_the_provider_and_returns_with_a_session(shop: Shop) -> None:
    listed = (await shop.auth.get("/auth/providers")).json()["items"]
    start_url = f"{PUBLIC_URL}/api/v1/auth/oidc/corp/start"
    assert listed == [{"name": "corp", "title": "Corp", "start_url": start_url}]
    url, cookie = await shop.start(return_to="/products?page=2")
    query = await shop.provider.authorize(url, "ann", **ANN)
    done = await shop.finish({**query, "session_state": "of Keycloak"}, cookie)
    assert done.headers["location"] == f"{PUBLIC_URL}/products?page=2"
    assert done.headers["Cache-Control"] == "no-store"
    user = await shop.user(done)
    expected = {"username": "ann", "email": "ann@example.com", "email_confirmed": True, "full_name": "Ann Archer"}
    assert {name: user[name] for name in expected} == expected
    verifier = shop.provider.verifiers[0].encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
    assert shop.provider.challenges == [digest]
    again = await shop.sign_in(**{**ANN, "email": "changed@example.com", "email_verified": False})
    assert (await shop.user(again))["id"] == user["id"]  # the subject identifies the user, not the address
    assert (await shop.auth.event("auth.identity.linked"))["provider"] == "corp"
    methods = [event["method"] for event in await shop.auth.events("auth.user.logged_in", at_least=2)]
    assert methods == ["oidc", "oidc"]


async def test_response_of_another_browser_or_a_used_one_is_rejected(shop: Shop, subtests: pytest.Subtests) -> None:
    url, cookie = await shop.start()
    attacker_url, attacker_cookie = await shop.start()
    query = await shop.provider.authorize(attacker_url, "mallory", **{**ANN, "email": "mallory@example.com"})
    for name, value in (("another browser", cookie), ("no cookie", None)):
        with subtests.test(name):
            refused = await shop.finish(query, value)
            assert (refused.status_code, refused.json()["code"]) == (400, "sign_in_not_started")
    query = await shop.provider.authorize(url, "ann", **ANN)
    assert (await shop.finish(query, cookie)).status_code == 303
    replayed = await shop.finish(query, cookie)
    assert (replayed.status_code, replayed.json()["code"]) == (400, "sign_in_not_started")
    assert attacker_cookie


async def test_code_of_another_sign_in_is_rejected_by_its_nonce(shop: Shop) -> None:
    url, cookie = await shop.start()
    other_url, _ = await shop.start()
    mine = await shop.provider.authorize(url, "ann", **ANN)
    injected = await shop.provider.authorize(other_url, "mallory", **ANN)
    refused = await shop.finish({**mine, "code": injected["code"]}, cookie)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_failed")
    assert (await shop.auth.event("auth.user.login_failed"))["reason"] == "sign_in_failed"


async def test_forged_id_tokens_are_rejected(shop: Shop, subtests: pytest.Subtests) -> None:
    assert (await shop.sign_in(**ANN)).status_code == 303
    now = int(time.time())
    cases: dict[str, Callable[[Claims], Claims]] = {
        "another nonce": lambda claims: {**claims, "nonce": "x" * 43},
        "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
        "another audience": lambda claims: {**claims, "aud": "another-client"},
        "other audiences too": lambda claims: {**claims, "aud": ["stockbuddy", "another-client"]},
        "issued to another client": lambda claims: {**claims, "azp": "another-client"},
        "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
        "expired": lambda claims: {**claims, "iat": now - 7200, "exp": now - 3600},
        "from the future": lambda claims: {**claims, "iat": now + 3600, "exp": now + 7200},
        "no expiry": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
        "no subject": lambda claims: {**claims, "sub": ""},
    }
    for name, tamper in cases.items():
        with subtests.test(name):
            shop.provider.tamper = tamper
            refused = await shop.sign_in(**ANN)
            assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_failed")
            assert "session" not in refused.cookies
    shop.provider.tamper = lambda claims: {**claims, "iat": int(time.time()) + 20}  # clocks differ a little
    assert (await shop.sign_in(**ANN)).status_code == 303
    shop.provider.foreign_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused = await shop.sign_in(**ANN)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_failed")


@pytest.mark.parametrize(
    "claims",
    [
        {**ANN, "email_verified": False},
        {**ANN, "email_verified": "true"},
        {"email": "ann@example.com"},
        {"email_verified": True},
        {**ANN, "email": "not an address"},
    ],
)
async def test_address_that_the_provider_has_not_verified_is_rejected(shop: Shop, claims: Claims) -> None:
    refused = await shop.sign_in(**claims)
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")


async def test_existing_user_is_linked_only_with_a_confirmed_address(shop: Shop) -> None:
    squatter = await shop.auth.register(username="squatter", email="ann@example.com")
    refused = await shop.sign_in(**ANN)
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_confirmed")
    await shop.auth.post("/auth/password/forgot", {"email": "ann@example.com"})
    token = shop.auth.token_in(await shop.auth.email("a new password"))
    reset = {"token": token, "new_password": "amber-Lantern-58", "confirm_password": "amber-Lantern-58"}
    assert (await shop.auth.post("/auth/password/reset", reset)).status_code == 204
    assert (await shop.user(await shop.sign_in(**{**ANN, "email": "Ann@Example.com"})))["id"] == squatter["id"]


async def test_user_signs_in_at_the_provider_to_authorize_an_app(shop: Shop) -> None:
    user = await shop.user(await shop.sign_in(**ANN))
    auth, browser = shop.auth, Browser(shop.auth.client)
    body = {"name": "Till", "is_confidential": False, "redirect_uris": [REDIRECT_URI], "scopes": ["catalog.read"]}
    app = AppClient(auth.client, (await auth.post("/oauth/clients", body, token=await auth.admin_token())).json())
    page = await browser.open(app.url(scope="catalog.read", state="s" * 500))
    link = urlsplit(html.unescape(re.findall(r'href="([^"]+/oidc/corp/start[^"]+)"', page.text)[0]))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{PUBLIC_URL}/api/v1/auth/oidc/corp/start"
    url, cookie = await shop.start(**dict(parse_qsl(link.query)))
    back = await shop.finish(await shop.provider.authorize(url, "ann", **ANN), cookie)
    auth.client.cookies.set("session", back.cookies["session"])
    await browser.open(back.headers["location"].removeprefix(PUBLIC_URL))
    assert f"You are logged in as {user['username']}." in browser.text
    assert "code" in parameters_of(await browser.send("approve"))


async def test_groups_decide_about_roles_at_each_sign_in(another_auth: Any, provider: Provider) -> None:
    roles = {"staff": "salesperson", "leads": "manager", "it": "admin"}
    mapping = configuration(provider, roles=roles, default_role=None)
    async with another_auth(public_url=PUBLIC_URL, oidc_providers=[mapping]) as auth:
        shop = Shop(auth, provider)
        refused = await shop.sign_in(**ANN, groups=["guests"])
        assert (refused.status_code, refused.json()["code"]) == (403, "no_role")
        for groups, role in ((["staff", "leads"], "manager"), (["staff"], "salesperson"), (["it"], "admin")):
            assert (await shop.user(await shop.sign_in(**ANN, groups=groups)))["role"] == role
        demoted = await shop.sign_in(**ANN, groups=["staff"])
        assert (await shop.user(demoted))["role"] == "admin"  # the last admin stays one
        assert (await shop.sign_in(**ANN, groups="it")).json()["code"] == "no_role"


async def test_second_factor_is_asked_for_unless_the_provider_has_verified_one(
    another_auth: Any, provider: Provider
) -> None:
    async with another_auth(public_url=PUBLIC_URL, oidc_providers=[configuration(provider)]) as auth:
        shop = Shop(auth, provider)
        await shop.sign_in(**ANN)
        admin = await auth.admin_token()
        await auth.call("PATCH", "/system-settings", token=admin, json={"second_factor_roles": ["salesperson"]})
        asked = await shop.sign_in(**ANN)
        assert "session" not in asked.cookies
        fragment = parse_qs(urlsplit(asked.headers["location"]).fragment)
        assert fragment["code"] == ["second_factor_setup_required"]
        setup = await auth.post("/auth/login/factors", {"challenge": fragment["challenge"][0]})
        assert setup.status_code == 201
    trusted = configuration(provider, is_second_factor=True)
    async with another_auth(public_url=PUBLIC_URL, oidc_providers=[trusted]) as auth:
        shop = Shop(auth, provider)
        assert (await shop.user(await shop.sign_in(**ANN)))["username"] == "ann"


async def test_unknown_and_deactivated_users_are_rejected(another_auth: Any, provider: Provider) -> None:
    closed = configuration(provider, creates_users=False)
    async with another_auth(public_url=PUBLIC_URL, oidc_providers=[closed]) as auth:
        refused = await Shop(auth, provider).sign_in(**ANN)
        assert (refused.status_code, refused.json()["code"]) == (403, "unknown_account")
    async with another_auth(public_url=PUBLIC_URL, oidc_providers=[configuration(provider)]) as auth:
        shop, admin = Shop(auth, provider), await auth.admin_token()
        user = await shop.user(await shop.sign_in(**ANN))
        await auth.call("PATCH", f"/users/{user['id']}", token=admin, json={"is_active": False})
        refused = await shop.sign_in(**ANN)
        assert (refused.status_code, refused.json()["code"]) == (403, "account_inactive")


async def test_provider_refuses_or_is_away(shop: Shop, another_auth: Any, subtests: pytest.Subtests) -> None:
    for name, changes in (
        ("refused", {"error": "access_denied"}),
        ("unknown code", {"code": "guess"}),
        ("another issuer", {"iss": "https://evil.example", "code": "x"}),
    ):
        with subtests.test(name):
            url, cookie = await shop.start()
            state = parse_qs(urlsplit(url).query)["state"][0]
            refused = await shop.finish({"state": state, **changes}, cookie)
            assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_failed")
    assert (await shop.auth.get("/auth/oidc/unknown/start")).status_code == 404
    for return_to in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\n"):
        outside = await shop.auth.get("/auth/oidc/corp/start", params={"return_to": return_to})
        assert outside.status_code == 422, return_to
    away = {**configuration(shop.provider), "issuer": "http://localhost:9"}
    async with another_auth(oidc_providers=[away]) as auth:
        unavailable = await auth.get("/auth/oidc/corp/start")
        assert (unavailable.status_code, unavailable.json()["code"]) == (503, "provider_unavailable")


async def test_logout_leads_to_the_provider(shop: Shop) -> None:
    leaving = await shop.auth.get("/auth/oidc/corp/logout")
    location = urlsplit(leaving.headers["location"])
    assert (leaving.status_code, location.path) == (303, "/oauth2/end_session")
    assert parse_qs(location.query) == {"client_id": ["stockbuddy"], "post_logout_redirect_uri": [PUBLIC_URL]}


async def test_claims_that_the_id_token_lacks_come_from_the_user_information(shop: Shop) -> None:
    shop.provider.tamper = lambda claims: {name: value for name, value in claims.items() if "email" not in name}
    assert (await shop.user(await shop.sign_in(**ANN)))["email"] == "ann@example.com"


async def test_browser_whose_sign_in_fails_returns_to_the_login_page_with_the_code(shop: Shop) -> None:
    shop.auth.client.headers["Accept"] = "text/html"
    url, cookie = await shop.start()
    unverified = {**ANN, "email_verified": False}
    refused = await shop.finish(await shop.provider.authorize(url, "ann", **unverified), cookie)
    assert (refused.status_code, refused.headers["location"]) == (303, f"{PUBLIC_URL}/#code=email_not_verified")
    assert refused.headers["Cache-Control"] == "no-store"
    assert "session" not in refused.cookies
    assert (await shop.auth.event("auth.access.denied"))["code"] == "email_not_verified"
    unknown = await shop.auth.get("/auth/oidc/nobody/start")
    assert (unknown.status_code, unknown.headers["location"]) == (303, f"{PUBLIC_URL}/#code=not_found")
