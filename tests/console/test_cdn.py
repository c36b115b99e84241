"""The console with its files and pictures from a CDN: another origin, which passes requests on to the gateway."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import PASSWORD, ROOT, RunningSystem, new_context, running_system, watch

COMPILE = "async (url) => await WebAssembly.compileStreaming(fetch(url)) instanceof WebAssembly.Module"
KEPT = """async () => {
  const [name] = await caches.keys();
  const requests = await (await caches.open(name)).keys();
  return requests.map((request) => request.url);
}"""

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)


class PullZone(ThreadingHTTPServer):
    """Answers from its cache, or asks the origin without cookies, and keeps public responses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.origin = ""
        self.paths: list[str] = []
        self.cookies: list[str] = []
        self.cache: dict[str, httpx.Response] = {}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class _Request(BaseHTTPRequestHandler):
    server: PullZone

    def do_GET(self) -> None:
        zone = self.server
        zone.paths.append(self.path)
        zone.cookies += [self.headers["Cookie"]] if "Cookie" in self.headers else []
        response = zone.cache.get(self.path)
        if response is None:
            response = httpx.get(zone.origin + self.path, headers={"Accept-Encoding": "identity"})
            if response.headers["Cache-Control"].startswith("public"):
                zone.cache[self.path] = response
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name not in ("connection", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.content)

    def log_message(self, *_: Any) -> None:
        """Not to the output of the tests."""


@pytest.fixture
def zone() -> Iterator[PullZone]:
    server = PullZone()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def cdn_system(
    built_console: None, zone: PullZone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningSystem]:
    monkeypatch.setenv("CDN_URL", zone.url)
    with running_system(tmp_path) as system:
        zone.origin = system.url
        yield system


def is_file(system: RunningSystem, url: str) -> bool:
    return url.startswith((f"{system.url}/console/", f"{system.url}/api/v1/products/")) and "/products?" not in url


def register_admin(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.locator("input[autocomplete=new-password]").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_text("Add what you sell")).to_be_visible()


def create_product_with_picture(system: RunningSystem) -> str:
    """The URL of its picture."""
    login = system.http.post("/api/v1/auth/login", json={"username": "ada", "password": PASSWORD}, timeout=60)
    system.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    product = system.call("POST", "/products", {"sku": "CUP", "name": "Blue cup", "unit_price": "4"})
    image = system.http.put(
        f"/api/v1/products/{product['id']}/image",
        content=PIXEL,
        headers={**system.headers, "Content-Type": "image/png"},
        timeout=60,
    )
    assert image.status_code == 200, image.text
    return str(image.json()["image_url"])


def test_files_and_pictures_come_from_the_cdn_and_the_page_opens_offline(
    cdn_system: RunningSystem, zone: PullZone, browser: Browser
) -> None:
    context = new_context(browser, service_workers="allow")
    page = watch(context.new_page())
    from_gateway: list[str] = []
    page.on("request", lambda request: from_gateway.append(request.url) if is_file(cdn_system, request.url) else None)
    register_admin(page, cdn_system.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert create_product_with_picture(cdn_system).startswith(f"{zone.url}/api/v1/products/")
    page.goto(f"{cdn_system.url}/products")
    picture = page.locator("img.thumbnail")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 1
    assert (picture.get_attribute("src") or "").startswith(zone.url)
    decoder = next((ROOT / "build" / "console" / "site" / "console").glob("*.wasm")).name
    assert page.evaluate(COMPILE, f"{zone.url}/console/{decoder}"), "the camera's decoder"
    assert from_gateway == []
    assert any(path.startswith("/console/") for path in zone.paths)
    assert all(path.startswith(("/console/", "/api/v1/products/")) for path in zone.paths)
    assert zone.cookies == []
    assert set(zone.cache) == set(zone.paths), "everything that the CDN was asked for may be kept"
    kept = page.evaluate(KEPT)
    assert f"{zone.url}/console/{decoder}" in kept
    assert [url for url in kept if not url.startswith(f"{zone.url}/console/")] == [f"{cdn_system.url}/shell"]
    context.set_offline(True)
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Blue cup")
    context.close()
