"""A user authorizes apps in a real browser, without the console: pages without scripts, in both themes."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.integrations.httpx_client import OAuth2Client
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD, RunningSystem, new_context, running_system, watch

VERIFIER = "a-code-verifier-that-has-at-least-43-characters"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class _App(BaseHTTPRequestHandler):
    """Shows that the browser came back."""

    def do_GET(self) -> None:
        body = b"<h1>Back in the app</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the log belongs to the test."""


@pytest.fixture
def app_url() -> Iterator[str]:
    """Where a native app listens for its code."""
    server = HTTPServer(("127.0.0.1", 0), _App)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/done"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """With the admin ada."""
    with running_system(tmp_path_factory.mktemp("apps")) as system:
        admin = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
        system.call("POST", "/auth/admin/register", admin)
        token = system.call("POST", "/auth/login", {"username": "ada", "password": PASSWORD})["access_token"]
        system.headers["Authorization"] = f"Bearer {token}"
        yield system


@pytest.fixture
def registered(system: RunningSystem) -> dict[str, Any]:
    app: dict[str, Any] = system.call(
        "POST",
        "/oauth/clients",
        {
            "name": "Order Tool",
            "homepage_url": "https://orders.example.com/",
            "is_confidential": False,
            "redirect_uris": ["http://127.0.0.1/done"],
            "scopes": ["catalog.read", "sale.create"],
            "allows_device_flow": True,
        },
    )
    return app


def new_page(browser: Browser, **options: Any) -> Page:
    return watch(new_context(browser, **options).new_page())


def require_readable(page: Page) -> None:
    """Text stands out against its background (WCAG 2.2, 1.4.3), fields have labels, and nothing is cut off."""
    ratios = page.evaluate(
        """() => {
            const luminance = (color) => {
                const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
                    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const background = (node) => {
                for (; node; node = node.parentElement) {
                    const color = getComputedStyle(node).backgroundColor;
                    if (!/, 0\\)$/.test(color)) return color;
                }
                return "rgb(255, 255, 255)";
            };
            return [...document.querySelectorAll("h1, p, li, a, label, button, input, span")].map((node) => {
                const [a, b] = [luminance(getComputedStyle(node).color), luminance(background(node))].sort();
                return [node.tagName, (b + 0.05) / (a + 0.05)];
            });
        }"""
    )
    assert ratios
    assert not [pair for pair in ratios if pair[1] < 4.5]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for field in page.locator("input:not([type=hidden])").all():
        assert page.locator(f"label[for={field.get_attribute('id')}]").count() == 1


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_app_is_authorized(
    system: RunningSystem, browser: Browser, registered: dict[str, Any], app_url: str, theme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    page = new_page(browser, color_scheme=theme, viewport=size)
    with OAuth2Client(
        registered["client_id"],
        redirect_uri=app_url,
        scope="catalog.read sale.create",
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        timeout=60,
    ) as client:
        url, state = client.create_authorization_url(f"{system.url}/api/v1/oauth/authorize", code_verifier=VERIFIER)
        page.goto(url)
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        assert page.locator("script").count() == 0
        require_readable(page)
        page.get_by_label("User name or e-mail").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("Invalid username or password.")
        require_readable(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Allow Order Tool to act for you?")).to_be_visible()
        expect(page.get_by_role("listitem")).to_have_text(["Read products, categories and suppliers", "Sell"])
        assert page.locator("script").count() == 0
        require_readable(page)
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("heading", name="Back in the app")).to_be_visible()
        token = client.fetch_token(
            f"{system.url}/api/v1/auth/token", authorization_response=page.url, state=state, code_verifier=VERIFIER
        )
        assert token["scope"] == "catalog.read sale.create"
        assert client.get(f"{system.url}/api/v1/products").status_code == 200
    page.context.close()


def test_page_cannot_be_framed(
    system: RunningSystem, browser: Browser, registered: dict[str, Any], app_url: str
) -> None:
    page = new_context(browser).new_page()
    page.goto(app_url)
    query = f"client_id={registered['client_id']}&redirect_uri={app_url}&response_type=code"
    target = f"{system.url}/api/v1/oauth/authorize?{query}&code_challenge={'a' * 43}&code_challenge_method=S256"
    with page.expect_console_message(lambda message: "frame" in message.text.lower()):
        page.evaluate(
            "url => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))", target
        )
    framed = page.frames[1]
    assert framed.locator("form").count() == 0
    page.context.close()


def test_device_is_connected(system: RunningSystem, browser: Browser, registered: dict[str, Any]) -> None:
    with OAuth2Client(registered["client_id"], token_endpoint_auth_method="none", timeout=60) as client:
        form = {"client_id": registered["client_id"], "scope": "sale.create"}
        started = system.http.post("/api/v1/oauth/device", data=form, timeout=60).json()
        page = new_page(browser, viewport={"width": 360, "height": 700})
        page.goto(system.url + urlsplit(started["verification_uri"]).path)
        page.get_by_label("User name or e-mail").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("Code that the device shows").fill("BBBB-BBBB")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("unknown or no longer valid")
        require_readable(page)
        page.get_by_label("Code that the device shows").fill(started["user_code"].lower())
        page.keyboard.press("Enter")
        expect(page.get_by_text(started["user_code"])).to_be_visible()
        require_readable(page)
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("heading", name="The device is connected")).to_be_visible()
        page.context.close()
        token = client.fetch_token(
            f"{system.url}/api/v1/auth/token", grant_type=DEVICE_CODE, device_code=started["device_code"]
        )
    assert token["scope"] == "sale.create"
