"""The authorization code flow of apps, and the attacks on it that RFC 9700 describes."""

import base64
from typing import Any

import pyotp
import pytest

from stockbuddy.auth.oauth.codes import code_challenge_of
from stockbuddy.chassis.testing.apps import REDIRECT_URI, AppClient, Browser, challenge_of, code_of, parameters_of

PASSWORD = "violet-Harbour-71"
ISSUER = "http://localhost:8000"
BODY: dict[str, Any] = {
    "name": "Till <b>Pro</b>",
    "homepage_url": "https://app.example.com/",
    "is_confidential": False,
    "redirect_uris": [REDIRECT_URI, "http://127.0.0.1/done?a=1", "http://[::1]/done", "com.example.till:/done"],
    "scopes": ["catalog.read", "stock.read", "sale.create"],
}


@pytest.fixture
async def admin(auth: Any) -> str:
    return str(await auth.admin_token())


@pytest.fixture
async def browser(auth: Any) -> Browser:
    return Browser(auth.client)


async def register_app(auth: Any, token: str, **changes: Any) -> AppClient:
    response = await auth.post("/oauth/clients", {**BODY, **changes}, token=token)
    assert response.status_code == 201, response.text
    return AppClient(auth.client, response.json())


@pytest.fixture
async def app(auth: Any, admin: str) -> AppClient:
    return await register_app(auth, admin)


@pytest.fixture
async def user(auth: Any, admin: str) -> str:
    return str((await auth.register())["username"])


def test_code_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_user_logs_in_consents_and_returns_with_a_code(
    auth: Any, app: AppClient, user: str, browser: Browser
) -> None:
    page = await browser.open(app.url())
    assert page.status_code == 200
    assert "To continue with Till <b>Pro</b>." in browser.text
    assert "<b>" not in page.text
    wrong = await browser.log_in(user, "wrong")
    assert (wrong.status_code, "Invalid username or password." in browser.text) == (401, True)
    page = await browser.log_in(user, PASSWORD)
    assert page.status_code == 200
    assert "<b>" not in page.text
    assert "Read products, categories and suppliers" in browser.text
    assert "Sell" not in browser.text
    assert f"You are logged in as {user}." in browser.text
    assert "You will be sent to app.example.com." in browser.text
    sent = await browser.send("approve")
    assert sent.headers["location"].startswith(f"{REDIRECT_URI}?")
    parameters = parameters_of(sent)
    assert (parameters["state"], parameters["iss"]) == ("a state: with+signs", ISSUER)
    response = await app.exchange(parameters["code"])
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert tokens["scope"] == "catalog.read stock.read"


async def test_pages_can_be_neither_framed_nor_cached_and_leak_no_address(
    app: AppClient, user: str, browser: Browser
) -> None:
    for page in [await browser.open(app.url()), await browser.log_in(user, PASSWORD)]:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' https://app.example.com;" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
    native = await browser.open(app.url(redirect_uri="com.example.till:/done"))
    assert "form-action 'self' com.example.till:;" in native.headers["Content-Security-Policy"]
    address = await browser.open(app.url(redirect_uri="http://[::1]:5000/done"))
    assert "form-action 'self' http:;" in address.headers["Content-Security-Policy"]


OTHER_REDIRECT_URIS = [
    None,
    "",
    "https://app.example.com/",
    "https://app.example.com/callback/",
    "https://app.example.com/callback/../callback",
    "https://app.example.com/callback/sub",
    "https://app.example.com/callback?x=1",
    "https://app.example.com/callback#x",
    "https://app.example.com:443/callback",
    "https://app.example.com/Callback",
    "https://APP.example.com/callback",
    "HTTPS://app.example.com/callback",
    "http://app.example.com/callback",
    "https://app.example.com.thief.example.com/callback",
    "https://app.example.com@thief.example.com/callback",
    "https://thief.example.com\\@app.example.com/callback",
    "https://app.example.com/callback\r\nX: y",
    "//app.example.com/callback",
    "http://127.0.0.1:5000/done",
    "http://127.0.0.1:5000/done?a=2",
    "http://127.0.0.1:5000/done?a=1#x",
    "http://user@127.0.0.1:5000/done?a=1",
    "http://127.0.0.1:thief.example.com/done?a=1",
    "http://localhost:5000/done?a=1",
    "https://127.0.0.1:5000/done?a=1",
    "com.example.till:/done/other",
    "javascript:alert(1)",
]


async def test_other_redirect_uri_is_never_redirected_to(
    app: AppClient, browser: Browser, subtests: pytest.Subtests
) -> None:
    for uri in OTHER_REDIRECT_URIS:
        for changes in ({}, {"response_type": "token"}, {"prompt": "none"}):
            with subtests.test(uri=uri, changes=changes):
                page = await browser.open(app.url(redirect_uri=uri, **changes))
                assert page.status_code == 400
                assert "location" not in page.headers
                assert "The app is not registered with this redirect URI." in browser.text


async def test_loopback_redirect_may_have_any_port(app: AppClient, user: str, browser: Browser) -> None:
    await browser.open(app.url())
    await browser.log_in(user, PASSWORD)
    for port in (":1", ":5000", ":65535", ""):
        uri = f"http://127.0.0.1{port}/done?a=1"
        await browser.open(app.url(redirect_uri=uri))
        assert "Continue only if you have just started this app on this device." in browser.text
        sent = await browser.send("approve")
        assert sent.headers["location"].startswith(f"{uri}&code=")
        assert (await app.exchange(code_of(sent), redirect_uri=uri)).status_code == 200


async def test_unknown_app_is_shown(app: AppClient, browser: Browser) -> None:
    for client_id in ("app-999", "app-0", "app-01", "app-²", "app-" + "9" * 30, "1", ""):
        page = await browser.open(app.url(client_id=client_id))
        assert (page.status_code, "location" in page.headers) == (400, False)
    for repeated in ("client_id", "redirect_uri", "state"):
        page = await browser.open(f"{app.url()}&{repeated}=x")
        assert (page.status_code, "A parameter is repeated." in browser.text) == (400, True)
    assert (await browser.open(f"{app.url()}&x=%FF")).status_code == 400
    assert (await browser.open(app.url(state="x" * 3000))).status_code == 400


ERRORS: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "=" * 43}, "invalid_request"),
    ({"scope": "catalog.read user.manage"}, "invalid_scope"),
    ({"scope": "everything"}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "select"}, "invalid_request"),
    ({"prompt": "none"}, "login_required"),
]


async def test_other_errors_are_sent_to_the_app(app: AppClient, browser: Browser, subtests: pytest.Subtests) -> None:
    for changes, error in ERRORS:
        with subtests.test(changes=changes):
            sent = await browser.open(app.url(**changes))
            assert sent.headers["location"].startswith(f"{REDIRECT_URI}?error=")
            parameters = parameters_of(sent)
            assert parameters["error"] == error
            assert (parameters["state"], parameters["iss"]) == ("a state: with+signs", ISSUER)
            assert "code" not in parameters


async def test_user_refuses(app: AppClient, user: str, browser: Browser) -> None:
    await browser.open(app.url(state=None))
    await browser.log_in(user, PASSWORD)
    parameters = parameters_of(await browser.send("deny"))
    assert parameters["error"] == "access_denied"
    assert "state" not in parameters


async def test_consent_is_remembered_and_asked_again_for_new_scopes(
    app: AppClient, user: str, browser: Browser
) -> None:
    await browser.open(app.url(scope="catalog.read"))
    await browser.log_in(user, PASSWORD)
    await browser.send("approve")
    assert "code" in parameters_of(await browser.open(app.url(scope="catalog.read")))
    assert "code" in parameters_of(await browser.open(app.url(scope="catalog.read", prompt="none")))
    needed = parameters_of(await browser.open(app.url(scope="stock.read", prompt="none")))
    assert needed["error"] == "consent_required"
    assert (await browser.open(app.url(scope="stock.read catalog.read"))).status_code == 200
    await browser.send("approve")
    assert "code" in parameters_of(await browser.open(app.url(scope="stock.read")))
    assert (await browser.open(app.url(prompt="consent"))).status_code == 200
    await browser.open(app.url(prompt="login"))
    assert "To continue with" in browser.text
    assert "code" in parameters_of(await browser.log_in(user, PASSWORD))


async def test_app_that_others_could_imitate_asks_each_time(app: AppClient, user: str, browser: Browser) -> None:
    """RFC 8252 §8.6: any program can use the client id and the redirect URI of a native app."""
    await browser.open(app.url(redirect_uri="com.example.till:/done"))
    await browser.log_in(user, PASSWORD)
    sent = await browser.send("approve")
    assert sent.headers["location"].startswith("com.example.till:/done?code=")
    assert (await browser.open(app.url(redirect_uri="com.example.till:/done"))).status_code == 200
    silent = await browser.open(app.url(redirect_uri="com.example.till:/done", prompt="none"))
    assert parameters_of(silent)["error"] == "consent_required"


async def test_consent_needs_the_form_of_the_own_page(
    auth: Any, app: AppClient, user: str, browser: Browser, admin: str
) -> None:
    attacker = (await auth.register())["username"]
    await browser.open(app.url())
    await browser.log_in(attacker, PASSWORD)
    stolen = browser.page
    auth.client.cookies.clear()
    await browser.open(app.url())
    own_login = browser.page
    await browser.log_in(user, PASSWORD)
    own = browser.page
    for token in ("", "0" * 64, "ä"):
        browser.page = own
        page = await browser.send("approve", csrf_token=token)
        assert (page.status_code, "location" in page.headers) == (400, False)
    browser.page = stolen
    assert (await browser.send("approve")).status_code == 400
    browser.page = own_login
    assert (await browser.send("login", username=attacker, password=PASSWORD)).status_code == 400
    as_json = await auth.client.post(app.url(), json={"action": "approve"})
    assert as_json.status_code == 400
    assert await auth.events("auth.consent.granted", at_least=0) == []


async def test_login_page_uses_the_second_factor(auth: Any, app: AppClient, user: str, browser: Browser) -> None:
    token = (await auth.log_in(user))["access_token"]
    setup = (await auth.post("/auth/factors", {"name": "phone"}, token=token)).json()
    code = pyotp.TOTP(setup["secret"]).now()
    confirmed = await auth.post(f"/auth/factors/{setup['id']}/confirm", {"code": code}, token=token)
    assert confirmed.status_code == 200, confirmed.text
    recovery = confirmed.json()["recovery_codes"]
    await browser.open(app.url())
    await browser.log_in(user, PASSWORD)
    assert "Enter your second factor" in browser.text
    assert (await browser.send("approve")).status_code == 200
    assert "Enter your second factor" in browser.text
    wrong = await browser.send("code", code="000000")
    assert (wrong.status_code, "The code is wrong" in browser.text) == (401, True)
    await browser.send("restart")
    assert "Password" in browser.text
    await browser.log_in(user, PASSWORD)
    await browser.send("code", code=recovery[0])
    assert "code" in parameters_of(await browser.send("approve"))


async def test_guessing_on_the_login_page_is_throttled(app: AppClient, user: str, browser: Browser) -> None:
    await browser.open(app.url())
    statuses = [(await browser.log_in(user, "wrong")).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert int(browser.response.headers["Retry-After"]) > 0
    assert (await browser.log_in(user, PASSWORD)).status_code == 429


async def code_for(app: AppClient, user: str, browser: Browser, **changes: Any) -> str:
    await browser.open(app.url(**changes))
    if "Password" in browser.text:
        await browser.log_in(user, PASSWORD)
    if browser.response.status_code == 200:
        await browser.send("approve")
    return code_of(browser.response)


async def test_code_that_is_used_again_ends_its_grant(auth: Any, app: AppClient, user: str, browser: Browser) -> None:
    code = await code_for(app, user, browser)
    tokens = (await app.exchange(code)).json()
    replayed = await app.exchange(code)
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert (await app.refresh(tokens["refresh_token"])).status_code == 400
    assert (await auth.event("auth.app_grant.ended"))["reason"] == "code_reused"


async def test_code_works_only_for_its_app_redirect_and_verifier(
    auth: Any, admin: str, app: AppClient, user: str, browser: Browser
) -> None:
    other = await register_app(auth, admin, name="Other")
    code = await code_for(app, user, browser)
    stolen = await other.exchange(code, code_verifier=app.verifier)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert (await app.exchange(code)).status_code == 200
    for changes in (
        {"redirect_uri": "https://app.example.com/"},
        {"redirect_uri": "com.example.till:/done"},
        {"code_verifier": "x" * 43},
        {"code_verifier": challenge_of(app.verifier)},
        {"code_verifier": "short"},
    ):
        code = await code_for(app, user, browser)
        assert (await app.exchange(code, **changes)).json()["error"] == "invalid_grant"
        assert (await app.exchange(code)).json()["error"] == "invalid_grant"
    code = await code_for(app, user, browser)
    for missing in ("code_verifier", "redirect_uri", "code"):
        assert (await app.exchange(code, **{missing: ""})).json()["error"] == "invalid_request"
    assert (await app.exchange(code)).status_code == 200


async def test_confidential_app_must_authenticate(auth: Any, admin: str, user: str, browser: Browser) -> None:
    app = await register_app(auth, admin, is_confidential=True)
    code = await code_for(app, user, browser)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": app.verifier,
    }
    secret = app.registered["client_secret"]
    for credentials in ({"client_id": app.client_id}, {**app.credentials, "client_secret": "wrong"}, {}):
        rejected = await auth.client.post("/api/v1/auth/token", data={**form, **credentials})
        assert (rejected.status_code, rejected.json()["error"]) == (401, "invalid_client")
        assert rejected.headers["WWW-Authenticate"].startswith("Basic")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{app.client_id}:{secret}".encode()).decode()}
    for extra in ({"client_secret": secret}, {"client_id": "app-999"}):
        twice = await auth.client.post("/api/v1/auth/token", data={**form, **extra}, headers=basic)
        assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert (await auth.client.post("/api/v1/auth/token", data=form, headers=basic)).status_code == 200
    grant = await app.token(grant_type="client_credentials")
    assert (grant.status_code, grant.json()["error"]) == (400, "unauthorized_client")
    rotated = await auth.post(f"/oauth/clients/{app.registered['id']}/rotate-secret", token=admin)
    assert (await app.refresh("x")).json()["error"] == "invalid_client"
    app.registered = rotated.json()
    assert (await app.refresh("x")).json()["error"] == "invalid_grant"


async def test_refresh_token_that_is_used_again_ends_the_grant(
    auth: Any, admin: str, app: AppClient, user: str, browser: Browser
) -> None:
    other = await register_app(auth, admin, name="Other")
    first = (await app.exchange(await code_for(app, user, browser))).json()
    assert (await other.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    unnamed = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert (await auth.client.post("/api/v1/auth/token", data=unnamed)).json()["error"] == "invalid_grant"
    narrowed = await app.refresh(first["refresh_token"], scope="stock.read")
    assert narrowed.json()["scope"] == "stock.read"
    second = narrowed.json()["refresh_token"]
    for scope in ("sale.create", "stock.read user.manage"):
        assert (await app.refresh(second, scope=scope)).json()["error"] == "invalid_scope"
    third = (await app.refresh(second)).json()
    assert third["scope"] == "catalog.read stock.read"
    assert (await app.refresh(second)).json()["error"] == "invalid_grant"
    assert (await app.refresh(third["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await auth.event("auth.app_grant.ended"))["reason"] == "refresh_token_reused"
    session = await auth.member()
    assert (await app.refresh(session["refresh_token"])).json()["error"] == "invalid_grant"


async def test_app_revokes_and_inspects_its_own_tokens_only(auth: Any, admin: str, user: str, browser: Browser) -> None:
    app, other = [await register_app(auth, admin, name=name, is_confidential=True) for name in ("One", "Other")]
    tokens = (await app.exchange(await code_for(app, user, browser))).json()
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    status = await app.introspect(access)
    assert status.pop("exp") > 0
    assert status == {
        "active": True,
        "scope": "catalog.read stock.read",
        "client_id": app.client_id,
        "username": user,
        "token_type": "bearer",
        "sub": str(auth.claims(tokens)["sub"]),
        "iss": ISSUER,
    }
    assert (await app.introspect(refresh))["active"]
    session = await auth.member()
    for token in (access, refresh, "x", session["access_token"], session["refresh_token"]):
        assert await other.introspect(token) == {"active": False}
    public = await register_app(auth, admin)
    refused = await auth.client.post("/api/v1/oauth/introspect", data={**public.credentials, "token": "x"})
    assert refused.json()["error"] == "unauthorized_client"

    async def revoke(client: AppClient, token: str) -> int:
        form = {**client.credentials, "token": token, "token_type_hint": "nonsense"}
        return int((await auth.client.post("/api/v1/oauth/revoke", data=form)).status_code)

    assert [await revoke(other, token) for token in (access, refresh, session["access_token"])] == [400] * 3
    assert [await revoke(app, token) for token in ("x", access, access)] == [200] * 3
    assert await app.introspect(access) == {"active": False}
    tokens = (await app.refresh(refresh)).json()
    assert await app.introspect(refresh) == {"active": False}
    assert await revoke(app, tokens["refresh_token"]) == 200
    assert await app.introspect(tokens["access_token"]) == {"active": False}
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_metadata_names_the_endpoints(auth: Any) -> None:
    response = await auth.get("/.well-known/oauth-authorization-server")
    metadata = response.json()
    assert metadata["issuer"] == ISSUER
    assert metadata["authorization_endpoint"] == f"{ISSUER}/api/v1/oauth/authorize"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "sale.create" in metadata["scopes_supported"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
