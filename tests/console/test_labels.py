"""Labels: chosen on the product page, in the list and from an order; what is printed scans back to the product."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, expect

from .conftest import OpenPage, RunningSystem, violations
from .test_camera import PIXELS_PER_POINT, browser_with_camera, film_of, open_with_camera

MEDIA: list[Literal["screen", "print"]] = ["screen", "print"]


def test_labels_are_printed_in_the_chosen_number_and_size(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/products?search=MUG-02&sort_by=name_asc", role="salesperson")
    page.get_by_role("row").filter(has_text="MUG-022").get_by_role("checkbox").check()
    page.get_by_role("row").filter(has_text="MUG-023").get_by_role("checkbox").check()
    page.get_by_role("link", name="Print labels").click()
    labels = page.get_by_role("list", name="Labels to print").get_by_role("listitem")
    expect(labels).to_have_count(2)
    page.get_by_label("MUG-023").first.fill("3")
    expect(labels).to_have_count(4)
    expect(labels.first).to_contain_text("€7.50")
    page.get_by_label("With the price").uncheck()
    expect(labels.first).not_to_contain_text("€7.50")
    assert violations(page) == []
    page.reload()
    expect(labels).to_have_count(4)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(labels.first.get_by_role("img")).to_be_visible()


def test_labels_of_what_an_order_has_received(open_page: OpenPage, system: RunningSystem) -> None:
    order = {
        "supplier_id": system.call("GET", "/suppliers")["items"][0]["id"],
        "warehouse_id": system.call("GET", "/warehouses")["items"][0]["id"],
        "lines": [{"sku": "MUG-024", "quantity": 3, "unit_cost": "3.00"}],
    }
    order_id = system.call("POST", "/purchase-orders", order)["id"]
    line = system.call("POST", f"/purchase-orders/{order_id}/order", {})["lines"][0]["id"]
    system.call("POST", f"/purchase-orders/{order_id}/receive", {"lines": [{"line_id": line, "quantity": 2}]})
    page = open_page(f"/purchase-orders/{order_id}", role="manager")
    page.get_by_role("link", name="Labels of what has arrived").click()
    expect(page.get_by_role("list", name="Labels to print").get_by_role("listitem")).to_have_count(2)


@pytest.mark.parametrize("size", ["small", "medium", "large", "roll"])
def test_bars_are_wide_enough_or_the_page_says_that_they_are_not(
    open_page: OpenPage, system: RunningSystem, size: str
) -> None:
    """The API draws modules of 0.33 mm; an image is never enlarged."""
    fields = {"name": "Long", "sku": f"{size}-A-VERY-LONG-NUMBER", "unit_price": "2.00"}
    long = system.call("POST", "/products", fields)["id"]
    short = system.call("GET", "/products/by-sku/MUG-001")["id"]
    page = open_page(f"/labels?products={short}", role="salesperson")
    page.get_by_label("Size").select_option(size)
    image = page.get_by_role("list", name="Labels to print").get_by_role("img")
    for media in MEDIA:
        page.emulate_media(media=media)
        image.evaluate("image => image.decode()")
        assert 0.25 <= 0.33 * image.evaluate("image => image.clientWidth / image.naturalWidth") <= 0.34
    page.emulate_media(media="screen")
    assert page.get_by_role("alert").count() == 0
    page.goto(f"{system.url}/labels?products={short},{long}")
    page.get_by_label("Size").select_option(size)
    expect(image).to_have_count(2)
    image.last.evaluate("image => image.decode()")
    module = 0.33 * image.last.evaluate("image => image.clientWidth / image.naturalWidth")
    assert (module >= 0.25) is (size == "large")
    expect(page.get_by_role("alert")).to_have_count(0 if size == "large" else 1)
    if size != "large":
        expect(page.get_by_role("alert")).to_contain_text(f"may not read these labels: {fields['sku']}")
        assert violations(page) == []


def test_printed_label_scans_back_to_its_product(
    open_page: OpenPage, browser: Browser, system: RunningSystem, states: dict[str, Any], tmp_path: Path
) -> None:
    product = system.call("POST", "/products", {"sku": "LABEL-7", "name": "Without a barcode", "unit_price": "2.00"})
    page = open_page(f"/products/{product['id']}", device_scale_factor=PIXELS_PER_POINT)
    page.get_by_role("link", name="Print labels").click()
    label = page.get_by_role("list", name="Labels to print").get_by_role("listitem")
    expect(label).to_have_count(1)
    label.get_by_role("img").evaluate("image => image.decode()")
    page.emulate_media(media="print")
    film = film_of(label.get_by_role("img").screenshot(), tmp_path)
    with browser_with_camera(browser, film) as camera:
        scanning = open_with_camera(camera, f"{system.url}/scan", states["manager"], "camera")
        expect(scanning.get_by_text("Read: LABEL-7")).to_be_visible()
        expect(scanning.get_by_role("heading", name="Without a barcode")).to_be_visible()
