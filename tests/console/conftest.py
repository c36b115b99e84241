"""A running system with the built console, and a browser with one stored session per role."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from stockbuddy.local_servers.ports import free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "violet-Harbour-71"
USERS = (("mia", "manager"), ("sam", "salesperson"), ("vera", "viewer"))
START_TIMEOUT_SECONDS = 280
TIMEOUT_MILLISECONDS = 120_000
WITHOUT_CHROMIUM = "no chromium: install the package chromium (Debian, Ubuntu: apt-get install chromium)"
expect.set_options(timeout=TIMEOUT_MILLISECONDS)

OpenPage = Callable[..., Page]


@dataclass
class RunningSystem:
    """`headers` authenticate the admin. `mails`: the directory of e-mails, which are files without an SMTP server."""

    url: str
    http: httpx.Client
    headers: dict[str, str]
    mails: Path

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        response = self.http.request(
            method, f"/api/v1{path}", json=body, headers={**self.headers, **headers}, timeout=60
        )
        assert response.status_code < 400, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def stock_of(self, sku: str) -> float:
        """On hand in all warehouses, from the ledger."""
        return float(sum(level["on_hand"] for level in self.call("GET", f"/stock-levels?sku={sku}")["items"]))


@pytest.fixture(scope="module")
def built_console() -> None:
    """Built once for all processes: the build has a lock, and nothing to do if the sources are unchanged."""
    program = [sys.executable, str(ROOT / "deploy" / "build_console.py")]
    built = subprocess.run(program, capture_output=True, text=True, check=False, timeout=280)
    assert built.returncode == 0, built.stderr


@pytest.fixture(scope="module")
def new_system(built_console: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Without an admin."""
    with running_system(tmp_path_factory.mktemp("console")) as system:
        yield system


@contextlib.contextmanager
def running_system(folder: Path, **settings: str) -> Iterator[RunningSystem]:
    """With the console if it is built; without an admin. `settings` are environment variables."""
    port, log = free_port(), folder / "log"
    environment = {
        **os.environ, "ENV": "development", "PORT": str(port), "STOCKBUDDY_DATA": str(folder / "data"),
        "LOG_LEVEL": "error", "MAIL_OUTBOX": str(folder / "mails"), **settings,
    }  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "stockbuddy.embedded"], env=environment, stderr=output)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            _wait_until_ready(http, process, log)
            yield RunningSystem(str(http.base_url).rstrip("/"), http, {}, log.parent / "mails")
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_ready(http: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if http.get("/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def chromium_program() -> str:
    """The browser of this machine; fails with how to install one."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, WITHOUT_CHROMIUM
    return chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=["--no-sandbox"])
        yield browser
        browser.close()


_page_errors: list[str] = []


@pytest.fixture(autouse=True)
def no_page_errors() -> Iterator[None]:
    """The errors that `watch` has noted fail the test. An exception in Playwright's handlers would end its driver."""
    yield
    errors, _page_errors[:] = list(_page_errors), []
    assert errors == []


def watch(page: Page) -> Page:
    """Note errors of scripts and violations of the content security policy."""
    page.on("pageerror", lambda error: _page_errors.append(f"{page.url}: {error}"))
    page.on("console", lambda message: _note_message(page, message.text))
    return page


def _note_message(page: Page, text: str) -> None:
    if "Content Security Policy" in text or "Minified React error" in text:
        _page_errors.append(f"{page.url}: {text}")


def new_context(browser: Browser, state: Any = None, **options: Any) -> BrowserContext:
    """Without a service worker, unless a test is about it: pages then come from the server they are tested with."""
    defaults: dict[str, Any] = {"locale": "en-GB", "timezone_id": "Europe/London", "service_workers": "block"}
    context = browser.new_context(storage_state=state, **(defaults | options))
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    return context


def log_in(page: Page, url: str, username: str) -> None:
    page.goto(url)
    page.get_by_label("User name or e-mail").fill(username)
    page.locator("input[autocomplete=current-password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


@pytest.fixture(scope="module")
def admin_state(new_system: RunningSystem, browser: Browser) -> Any:
    """The first admin, registered in the browser."""
    context = new_context(browser)
    page = watch(context.new_page())
    page.goto(new_system.url)
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    page.get_by_label("User name").fill("ada")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.locator("input[autocomplete=new-password]").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_text("Add what you sell")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


def _wait_until_stocked(system: RunningSystem, products: int) -> None:
    """The stock of new products is posted by their events."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while system.call("GET", "/stock-levels?page_size=1")["total"] < products:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def system(new_system: RunningSystem, admin_state: Any) -> RunningSystem:
    """With two warehouses, products, a supplier, an order, a count, and a user of each role."""
    login = new_system.http.post("/api/v1/auth/login", json={"username": "ada", "password": PASSWORD}, timeout=60)
    new_system.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    call = new_system.call
    call("PATCH", "/system-settings", {"company_name": "Ada's Shop", "currency": "EUR", "timezone": "Europe/Berlin"})
    call("POST", "/warehouses", {"name": "Harbour", "code": "HARBOUR", "kind": "store"})
    supplier = call("POST", "/suppliers", {"name": "Clay & Sons", "lead_time_days": 5})["id"]
    for number in range(1, 31):
        product = {
            "sku": f"MUG-{number:03}", "name": f"Mug number {number}", "unit_price": "7.50", "cost_price": "3.10",
            "category": "Mugs" if number % 2 else "Plates", "quantity": 40, "supplier_id": supplier,
            "barcodes": [f"40000{number:03}"],
        }  # fmt: skip
        call("POST", "/products", product)
    _wait_until_stocked(new_system, 30)
    warehouse = next(one["id"] for one in call("GET", "/warehouses")["items"] if one["is_default"])
    sale = {"lines": [{"sku": "MUG-002", "quantity": 2}, {"sku": "MUG-003", "quantity": 1}], "warehouse_id": warehouse}
    call("POST", "/sales", sale)
    order = {
        "supplier_id": supplier, "warehouse_id": warehouse,
        "lines": [{"sku": "MUG-004", "quantity": 12, "unit_cost": "3.00"}],
    }  # fmt: skip
    call("POST", f"/purchase-orders/{call('POST', '/purchase-orders', order)['id']}/order", {})
    call("POST", "/stock-counts", {"warehouse_id": warehouse, "category": "Plates"})
    for name, role in USERS:
        user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        call("PATCH", f"/users/{call('POST', '/auth/register', user)['id']}", {"role": role})
    return new_system


@pytest.fixture(scope="module")
def states(system: RunningSystem, browser: Browser, admin_state: Any) -> dict[str, Any]:
    """Stored sessions by role: logins are limited."""
    found = {"admin": admin_state}
    for name, role in USERS:
        context = new_context(browser)
        log_in(watch(context.new_page()), system.url, name)
        found[role] = context.storage_state()
        context.close()
    return found


@pytest.fixture
def open_page(system: RunningSystem, browser: Browser, states: dict[str, Any]) -> Iterator[OpenPage]:
    """`open_page("/products", role="manager", width=360, scheme="dark")`, and options of Playwright's contexts."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, *, role: str = "admin", width: int = 1440, scheme: Any = "light", **more: Any) -> Page:
        options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, **more}
        context = new_context(browser, states[role], **options)
        contexts.append(context)
        page = watch(context.new_page())
        page.goto(system.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()


def wait_until(page: Page, predicate: str) -> None:
    """Until the asynchronous function returns true; Playwright's `wait_for_function` does not await promises."""
    page.evaluate(
        f"async () => {{ while (!(await ({predicate})())) await new Promise((done) => setTimeout(done, 50)) }}"
    )


def axe_source() -> str:
    """From the development packages of the console, which `make console` installs."""
    return (ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What axe-core finds. Its script runs beside the content security policy, which still applies to the page."""
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    page.evaluate(axe_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{page.url} {one['id']}: {json.dumps(one['nodes'][0]['html'])[:200]}" for one in found]
