"""Every screen in both themes and at three widths: accessible, without horizontal scrolling, without errors.

With SCREENSHOTS=folder, a picture of each is written there.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import ROOT, OpenPage, violations

pytestmark = pytest.mark.browser

SCREENS = [
    "/", "/scan", "/sell", "/products", "/products/new", "/products/1", "/products/1/edit", "/sales", "/sales/1",
    "/stock-levels", "/movements", "/transfers", "/counts", "/counts/1", "/reservations", "/warehouses",
    "/purchase-orders", "/purchase-orders/1", "/reorder", "/suppliers", "/expenses", "/customers", "/categories",
    "/reports", "/reports?report=profit", "/reports?report=inventory-valuation", "/imports", "/users", "/settings",
    "/webhooks", "/audit", "/health-status", "/events", "/notifications", "/account",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024, 360])
@pytest.mark.parametrize("path", SCREENS)
def test_screen_is_accessible_and_fits(open_page: OpenPage, path: str, width: int, scheme: str) -> None:
    page = open_page(path, width=width, scheme=scheme)
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    if folder := os.environ.get("SCREENSHOTS"):
        name = path.strip("/").replace("/", "-").replace("?", "-") or "home"
        page.screenshot(path=ROOT / Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
