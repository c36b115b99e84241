"""Saved views of lists, and the choice of columns."""

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from .conftest import OpenPage, RunningSystem, violations


def open_panel(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def test_view_is_saved_chosen_changed_shared_and_deleted(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/products?category=Plates&sort_by=stock_desc", role="manager")
    open_panel(page, "Views")
    expect(page.get_by_text("save that under a name")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Save as a new view").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Plates by stock")
    dialog.get_by_label("Shared with everybody").check()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Plates by stock", exact=True)).to_be_visible()
    assert "view=" in page.url
    page.get_by_label("Low stock only").check()
    open_panel(page, "Plates by stock, changed")
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_role("button", name="Plates by stock", exact=True)).to_be_visible()
    (view,) = system.call("GET", "/views?path=/products")["items"]
    assert (view["query"], view["is_shared"]) == ("category=Plates&low_stock=true&sort_by=stock_desc", True)

    colleague = open_page("/products", role="salesperson", width=360)
    open_panel(colleague, "Views")
    expect(colleague.get_by_role("button", name="Delete Plates by stock")).to_have_count(0)
    assert violations(colleague) == []
    colleague.get_by_role("button", name="Plates by stock from mia").click()
    expect(colleague.get_by_label("Category")).to_have_value("Plates")
    expect(colleague.get_by_label("Low stock only")).to_be_checked()
    colleague.reload()
    open_panel(colleague, "Plates by stock")
    colleague.get_by_role("button", name="Save as a new view").click()
    colleague.get_by_role("dialog").get_by_label("Name").fill("Mine")
    expect(colleague.get_by_role("dialog").get_by_label("Shared with everybody")).to_have_count(0)
    colleague.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    open_panel(colleague, "Mine")
    colleague.get_by_role("button", name="Reset").click()
    expect(colleague).to_have_url(re.compile("/products$"))
    assert colleague.evaluate("document.documentElement.scrollWidth") <= 360

    open_panel(page, "Plates by stock")
    page.get_by_role("button", name="Edit Plates by stock").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Plates, low")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    open_panel(page, "Plates, low")
    page.get_by_role("button", name="Delete Plates, low").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("button", name="Views", exact=True)).to_be_visible()
    assert [one["name"] for one in system.call("GET", "/views?path=/products")["items"]] == []


def test_file_has_the_chosen_columns_and_the_visible_rows(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/products?category=Plates")
    open_panel(page, "Columns")
    expect(page.get_by_label("Product", exact=True)).to_be_disabled()
    for name in ("Category", "Cost", "Available", "Low at"):
        page.get_by_role("group", name="Columns").get_by_label(name, exact=True).uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Columns")).to_be_hidden()
    expect(page.get_by_role("columnheader", name="Cost")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("columnheader", name="SKU")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Cost")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save these rows as CSV").click()
    expect(page.get_by_text("Saved: exactly the 15 rows and the columns that you see.")).to_be_visible()
    download.value.save_as(tmp_path / "rows.csv")
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert list(rows[0]) == ["Product", "SKU", "Price", "In stock"]
    assert len(rows) == 15
    open_panel(page, "Columns")
    page.get_by_role("button", name="All columns").click()
    expect(page.get_by_role("columnheader", name="Cost")).to_be_visible()
    assert "columns" not in page.url
