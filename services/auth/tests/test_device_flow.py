"""The device flow (RFC 8628): a till without a keyboard, and its user at a browser elsewhere."""

from datetime import timedelta
from typing import Any

import pytest

from stockbuddy.chassis.testing.apps import AppClient, Browser

PASSWORD = "violet-Harbour-71"
PAGE = "/api/v1/oauth/device"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
BODY: dict[str, Any] = {"name": "Till", "is_confidential": False, "scopes": ["catalog.read", "sale.create"]}


async def register_app(auth: Any, **changes: Any) -> AppClient:
    token = (await auth.log_in("boss"))["access_token"]
    response = await auth.post("/oauth/clients", {**BODY, **changes}, token=token)
    assert response.status_code == 201, response.text
    return AppClient(auth.client, response.json())


@pytest.fixture
async def till(auth: Any) -> AppClient:
    await auth.register_admin()
    return await register_app(auth, allows_device_flow=True)


@pytest.fixture
async def browser(auth: Any, till: AppClient) -> Browser:
    """That of a user who is logged in."""
    user, browser = (await auth.register())["username"], Browser(auth.client)
    await browser.open(PAGE)
    assert "To connect a device." in browser.text
    await browser.log_in(user, PASSWORD)
    assert "Code that the device shows" in browser.text
    return browser


async def start(till: AppClient, **form: str) -> dict[str, Any]:
    response = await till.http.post(PAGE, data={**till.credentials, **form})
    assert response.status_code == 200, response.text
    started: dict[str, Any] = response.json()
    return started


async def poll(till: AppClient, started: dict[str, Any]) -> Any:
    return await till.token(grant_type=DEVICE_CODE, device_code=started["device_code"])


async def move_clock(auth: Any, interval: timedelta) -> None:
    """Make the started authorizations older."""
    async with auth.app.state.resources.database.raw() as connection:
        await connection.execute(
            "UPDATE app_device_authorization "
            "SET polled_at = polled_at - $1::interval, expires_at = expires_at - $1::interval",
            interval,
        )


async def test_till_is_connected_by_its_user(auth: Any, till: AppClient, browser: Browser) -> None:
    started = await start(till, scope="sale.create")
    assert (started["expires_in"], started["interval"]) == (600, 5)
    assert started["verification_uri"] == f"http://localhost:8000{PAGE}"
    assert started["verification_uri_complete"] == f"http://localhost:8000{PAGE}?user_code={started['user_code']}"
    assert (await poll(till, started)).json()["error"] == "authorization_pending"
    typed = started["user_code"].lower().replace("-", " ")
    await browser.open(f"{PAGE}?user_code={typed}")
    assert "Allow Till to act for you?" in browser.text
    assert "Sell" in browser.text
    assert "Read products" not in browser.text
    await browser.send("approve")
    assert "The device is connected" in browser.text
    response = await poll(till, started)
    assert response.status_code == 200, response.text
    tokens = response.json()
    assert tokens["scope"] == "sale.create"
    assert (await poll(till, started)).json()["error"] == "invalid_grant"
    assert (await till.refresh(tokens["refresh_token"])).status_code == 200
    assert (await browser.open(f"{PAGE}?user_code={typed}")).status_code == 400


async def test_user_refuses(till: AppClient, browser: Browser) -> None:
    started = await start(till)
    await browser.open(started["verification_uri_complete"].removeprefix("http://localhost:8000"))
    await browser.send("deny")
    assert "The device was refused" in browser.text
    assert (await poll(till, started)).json()["error"] == "access_denied"
    assert (await poll(till, started)).json()["error"] == "invalid_grant"


async def test_device_that_polls_too_often_must_slow_down(auth: Any, till: AppClient) -> None:
    started = await start(till)
    assert (await poll(till, started)).json()["error"] == "authorization_pending"
    assert (await poll(till, started)).json()["error"] == "slow_down"
    await move_clock(auth, timedelta(seconds=7))
    assert (await poll(till, started)).json()["error"] == "slow_down"
    await move_clock(auth, timedelta(seconds=16))
    assert (await poll(till, started)).json()["error"] == "authorization_pending"


async def test_codes_expire(auth: Any, till: AppClient, browser: Browser) -> None:
    started = await start(till)
    await move_clock(auth, timedelta(minutes=11))
    assert (await browser.open(f"{PAGE}?user_code={started['user_code']}")).status_code == 400
    assert "unknown or no longer valid" in browser.text
    assert (await poll(till, started)).json()["error"] == "expired_token"


async def test_guessing_codes_is_throttled(auth: Any, till: AppClient, browser: Browser) -> None:
    started = await start(till)
    statuses = [(await browser.open(f"{PAGE}?user_code=BBBB-BBB{letter}")).status_code for letter in "BCDFGH"]
    assert statuses == [400] * 5 + [429]
    assert (await browser.open(f"{PAGE}?user_code={started['user_code']}")).status_code == 429
    assert (await auth.event("auth.user.login_failed"))["reason"] == "wrong_user_code"


async def test_decision_needs_the_form_of_the_own_page(till: AppClient, browser: Browser) -> None:
    started = await start(till)
    await browser.open(f"{PAGE}?user_code={started['user_code']}")
    assert "form-action 'self';" in browser.response.headers["Content-Security-Policy"]
    assert (await browser.send("approve", csrf_token="0" * 64)).status_code == 400
    assert (await poll(till, started)).json()["error"] == "authorization_pending"


async def test_device_code_belongs_to_its_app(auth: Any, till: AppClient, browser: Browser) -> None:
    other = await register_app(auth, allows_device_flow=True)
    web = await register_app(auth, redirect_uris=["https://app.example.com/"])
    started = await start(till)
    await browser.open(f"{PAGE}?user_code={started['user_code']}")
    await browser.send("approve")
    assert (await poll(other, started)).json()["error"] == "invalid_grant"
    assert (await poll(web, started)).json()["error"] == "unauthorized_client"
    refused = await web.http.post(PAGE, data=web.credentials)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    for form, error in [({"client_id": "app-999"}, "invalid_client"), ({"scope": "user.manage"}, "invalid_scope")]:
        refused = await till.http.post(PAGE, data={**till.credentials, **form})
        assert refused.json()["error"] == error
    assert (await poll(till, started)).status_code == 200
