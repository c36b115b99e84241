"""Barcodes in front of a camera, which a file replaces: the one that the API draws is read on the page."""

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, expect

from .conftest import WITHOUT_CHROMIUM, RunningSystem, log_in, new_context, violations, watch

FRAME, MARGIN = (640, 480), 40
PIXELS_PER_POINT = 4
"""So that the thinnest line is some pixels wide, as in front of a camera."""


def film_of(picture: bytes, folder: Path) -> Path:
    """A film with the picture, a PNG, in its middle."""
    drawn = Image.open(io.BytesIO(picture)).convert("L")
    drawn = drawn.crop(ImageOps.invert(drawn).getbbox())  # without the margins, which the frame has
    drawn.thumbnail((FRAME[0] - 2 * MARGIN, FRAME[1] - 2 * MARGIN))
    frame = Image.new("RGB", FRAME, "white")
    frame.paste(drawn, ((FRAME[0] - drawn.width) // 2, (FRAME[1] - drawn.height) // 2))
    content = io.BytesIO()
    frame.save(content, "JPEG", quality=95)
    film = folder / "film.mjpeg"
    film.write_bytes(content.getvalue() * 2)
    return film


def draw_barcode(browser: Browser, system: RunningSystem, sku: str) -> bytes:
    """The API's barcode of the product as a PNG."""
    product = system.call("GET", f"/products/by-sku/{sku}")["id"]
    svg = system.http.get(f"/api/v1/products/{product}/barcode.svg", headers=system.headers, timeout=60)
    context = new_context(browser, device_scale_factor=PIXELS_PER_POINT)
    page = context.new_page()
    page.set_content(svg.text[svg.text.index("<svg") :])
    drawn = page.locator("svg").screenshot()
    context.close()
    return drawn


@contextlib.contextmanager
def browser_with_camera(browser: Browser, film: Path) -> Iterator[Browser]:
    arguments = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with browser_with(browser, *arguments) as started:
        yield started


@contextlib.contextmanager
def browser_with(browser: Browser, *arguments: str) -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, WITHOUT_CHROMIUM
    started = browser.browser_type.launch(executable_path=chromium, args=["--no-sandbox", *arguments])
    yield started
    started.close()


@pytest.fixture
def camera(system: RunningSystem, browser: Browser, states: dict[str, Any], tmp_path: Path) -> Iterator[Browser]:
    """A browser whose camera shows the barcode of MUG-021."""
    with browser_with_camera(browser, film_of(draw_barcode(browser, system, "MUG-021"), tmp_path)) as started:
        yield started


def open_with_camera(camera: Browser, url: str, state: Any, *permissions: str) -> Page:
    context = new_context(camera, state, permissions=permissions, viewport={"width": 360, "height": 900})
    page = watch(context.new_page())
    page.goto(url)
    page.get_by_role("button", name="Scan with the camera").click()
    return page


def test_barcode_in_front_of_the_camera_is_read_once(
    camera: Browser, system: RunningSystem, states: dict[str, Any]
) -> None:
    page = open_with_camera(camera, f"{system.url}/scan", states["manager"], "camera")
    expect(page.get_by_role("heading", name="Mug number 21")).to_be_visible()
    expect(page.get_by_text("Read: 40000021")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{system.url}/sell")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_label("Quantity of MUG-021")).to_have_value("1")
    page.get_by_text("Read: 40000021").wait_for()
    page.get_by_role("button", name="Close the camera").click()
    expect(page.get_by_label("Picture of the camera")).to_have_count(0)
    expect(page.get_by_label("Quantity of MUG-021")).to_have_value("1")
    page.goto(f"{system.url}/purchase-orders/1")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_text("40000021 is not on this order")).to_be_visible()
    page.goto(f"{system.url}/counts/1")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_text("40000021 is not part of this count")).to_be_visible()


def test_page_explains_why_there_is_no_camera(
    camera: Browser, browser: Browser, system: RunningSystem, states: dict[str, Any]
) -> None:
    page = open_with_camera(camera, f"{system.url}/scan", states["manager"])
    expect(page.get_by_role("alert")).to_contain_text("does not allow this page to use the camera")
    assert violations(page) == []
    page = open_with_camera(browser, f"{system.url}/scan", states["manager"], "camera")
    expect(page.get_by_role("alert")).to_contain_text("This device has no camera")


def test_page_without_https_explains_what_the_camera_and_reading_offline_need(
    browser: Browser, system: RunningSystem
) -> None:
    """As on a till that opens the server by its name in the shop's network."""
    with browser_with(browser, "--host-resolver-rules=MAP shop.example 127.0.0.1") as started:
        context = new_context(started, permissions=["camera"])
        page = watch(context.new_page())
        log_in(page, system.url.replace("127.0.0.1", "shop.example"), "sam")
        page.route_web_socket("**/api/v1/ws*", lambda connection: connection.close())
        page.goto(page.url + "scan")
        assert not page.evaluate("isSecureContext")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.get_by_role("alert")).to_contain_text("The camera needs HTTPS")
        assert violations(page) == []
        expect(page.get_by_role("status").filter(has_text="No live connection")).to_contain_text("Do not reload")
