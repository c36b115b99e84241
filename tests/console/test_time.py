"""What depends on seconds: how long a change can be undone, and which key presses are a scan. The test is the clock."""

import pytest
from playwright.sync_api import Page, expect

from .conftest import OpenPage, RunningSystem

UNDO_MILLISECONDS = 10_000
STEP_MILLISECONDS = 50
CODE = "40000025"


def pause(page: Page) -> None:
    """From now on, time passes only when the test lets it."""
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)


def open_paused(page: Page, url: str, heading: str) -> None:
    page.clock.install()
    page.goto(url)
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


@pytest.mark.parametrize("is_undone", [False, True])
def test_change_can_be_undone_for_ten_seconds(open_page: OpenPage, system: RunningSystem, is_undone: bool) -> None:
    sku = f"UNDO-{is_undone}"
    product = system.call("POST", "/products", {"sku": sku, "name": "Short regret", "unit_price": "1.00"})
    page = open_page("/")
    open_paused(page, f"{system.url}/products/{product['id']}", "Short regret")
    page.get_by_role("button", name="Move stock").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Quantity").fill("4")
    button = dialog.get_by_role("button", name="Post")
    expect(button).to_be_enabled()
    pause(page)
    button.click()
    undo = page.get_by_role("button", name="Undo")
    while undo.count() == 0:
        page.clock.run_for(STEP_MILLISECONDS)
    page.clock.run_for(UNDO_MILLISECONDS - 2 * STEP_MILLISECONDS)
    expect(undo).to_be_visible()
    if is_undone:
        undo.click()
        while undo.count() > 0:
            page.clock.run_for(STEP_MILLISECONDS)
        assert system.stock_of(sku) == 0
    else:
        page.clock.run_for(2 * STEP_MILLISECONDS + 1000)  # and the time in which the message fades
        expect(undo).to_have_count(0)
        assert system.stock_of(sku) == 4


def test_same_code_again_is_another_scan_and_slow_keys_are_none(open_page: OpenPage, system: RunningSystem) -> None:
    """Characters at most 35 ms apart are a scanner's, however soon the next scan begins."""
    page = open_page("/")
    open_paused(page, f"{system.url}/sell", "Sell")
    pause(page)

    def press(gap: int) -> None:
        for key in [*CODE, "Enter"]:
            page.keyboard.press(key)
            page.clock.run_for(gap)

    page.get_by_role("heading", level=1).click()
    press(36)
    press(35)
    press(0)
    press(35)
    page.clock.resume()
    expect(page.get_by_label("Quantity of MUG-025")).to_have_value("3")
