"""Every screen in both themes and at three widths: accessible, without horizontal scrolling, without errors.

With SCREENSHOTS=folder, a picture of each is written there.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .conftest import ROOT, RunningSystem, new_context, violations, watch

pytestmark = pytest.mark.browser

SCREENS = [
    "/", "/scan", "/sell", "/products", "/products/new", "/products/1", "/products/1/edit", "/sales", "/sales/1",
    "/stock-levels", "/movements", "/transfers", "/counts", "/counts/1", "/reservations", "/warehouses",
    "/purchase-orders", "/purchase-orders/1", "/reorder", "/suppliers", "/expenses", "/customers", "/categories",
    "/reports", "/reports?report=profit", "/reports?report=inventory-valuation", "/report-schedules", "/jobs",
    "/imports", "/users", "/roles",
    "/labels?products=1*3,2", "/apps", "/settings", "/webhooks", "/audit", "/health-status", "/events",
    "/notifications", "/account",
]  # fmt: skip


BEFORE_LOGIN = ["/?login", "/password-reset", "/confirm-email", "/invitation"]
WIDTHS = [1440, 1024, 360]
OpenScreen = Callable[[str, int, str], Page]


@pytest.fixture(scope="module")
def open_screen(system: RunningSystem, browser: Browser, states: dict[str, Any]) -> Iterator[OpenScreen]:
    """One browser session for each width and scheme: a new one would load the whole console again."""
    contexts: dict[tuple[bool, int, str], BrowserContext] = {}

    def open_screen(path: str, width: int, scheme: str) -> Page:
        key = (path in BEFORE_LOGIN, width, scheme)
        if key not in contexts:
            state = None if path in BEFORE_LOGIN else states["admin"]
            viewport: Any = {"width": width, "height": 900}
            contexts[key] = new_context(browser, state, viewport=viewport, color_scheme=scheme)
        page = watch(contexts[key].new_page())
        page.goto(system.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield open_screen
    for context in contexts.values():
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", [*SCREENS, *BEFORE_LOGIN])
def test_screen_is_accessible_and_fits(open_screen: OpenScreen, path: str, width: int, scheme: str) -> None:
    page = open_screen(path, width, scheme)
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    if folder := os.environ.get("SCREENSHOTS"):
        name = re.sub(r"[^a-z0-9]+", "-", path).strip("-") or "home"
        page.screenshot(path=ROOT / Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.close()
