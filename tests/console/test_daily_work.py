"""The main screens in a real browser: the guarantees of the console for daily work."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from .conftest import OpenPage, RunningSystem, new_context, violations, watch
from .person import scan

PAGES = ["/", "/products", "/products/1", "/scan", "/sell", "/sales", "/stock-levels", "/movements", "/purchase-orders"]
ON_A_PHONE = ["/scan", "/sell", "/counts/1", "/purchase-orders/1", "/products"]


def test_login_rejects_a_wrong_password_beside_the_form(system: RunningSystem, browser: Browser) -> None:
    context = new_context(browser)
    page = watch(context.new_page())
    page.goto(f"{system.url}/products?search=mug")
    page.get_by_label("User name or e-mail").fill("sam")
    page.locator("input[autocomplete=current-password]").fill("wrong-Password-1")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Invalid username or password")
    assert (
        page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage)).filter(k => /token/i.test(k))")
        == []
    )
    context.close()


def test_navigation_and_pages_show_only_what_the_role_may(open_page: OpenPage) -> None:
    page = open_page("/products", role="salesperson")
    navigation = page.get_by_role("navigation", name="Navigation")
    expect(navigation.get_by_role("link", name="Sell", exact=True)).to_be_visible()
    for name in ("Users", "Settings", "Purchase orders", "Expenses", "Audit trail", "Health"):
        assert navigation.get_by_role("link", name=name, exact=True).count() == 0
    assert page.get_by_role("columnheader", name="Cost").count() == 0
    expect(open_page("/products", role="manager").get_by_role("columnheader", name="Cost")).to_be_visible()


def test_filters_sorting_and_page_are_in_the_address_and_the_visible_rows_in_the_file(
    open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page("/products?search=mug&sort_by=name_desc&page=2")
    expect(page.get_by_text("26\N{EN DASH}30 of 30")).to_be_visible()
    page.get_by_label("Category").select_option("Plates")
    expect(page.get_by_text("1\N{EN DASH}15 of 15")).to_be_visible()
    assert "category=Plates" in page.url
    page.get_by_role("button", name=re.compile("^Product")).click()
    expect(page.get_by_role("columnheader", name=re.compile("^Product"))).to_have_attribute("aria-sort", "ascending")
    page.reload()
    expect(page.get_by_text("1\N{EN DASH}15 of 15")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save these rows as CSV").click()
    download.value.save_as(tmp_path / "rows.csv")
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert [row["SKU"] for row in rows] == [
        f"MUG-{number:03}" for number in (10, 12, 14, 16, 18, 2, 20, 22, 24, 26, 28, 30, 4, 6, 8)
    ]


@pytest.mark.parametrize(("choice", "price"), [("Save mine", "9.25"), ("Keep theirs", "8.00")])
def test_conflicting_price_shows_both_values_and_offers_the_choice(
    open_page: OpenPage, system: RunningSystem, choice: str, price: str
) -> None:
    product = system.call("GET", "/products/by-sku/MUG-005")
    system.call("PATCH", f"/products/{product['id']}", {"unit_price": "7.50"})
    page = open_page("/scan")
    page.route_web_socket("**/api/v1/ws*", lambda _: None)  # the other user's change does not arrive before the edit
    page.goto(f"{system.url}/products?search=MUG-005")
    page.get_by_role("button", name=re.compile("^Price of MUG-005")).click()
    system.call("PATCH", f"/products/{product['id']}", {"unit_price": "8.00"})
    page.get_by_label("Price of MUG-005").fill("9.25")
    page.get_by_label("Price of MUG-005").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("€8.00")
    expect(dialog).to_contain_text("€9.25")
    assert violations(page) == []
    dialog.get_by_role("button", name=choice).click()
    expect(page.get_by_role("button", name=re.compile(f"^Price of MUG-005: €{price}"))).to_be_visible()
    assert system.call("GET", f"/products/{product['id']}")["unit_price"] == price


def test_twenty_scans_at_once_are_twenty_movements(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/scan")
    before = system.stock_of("MUG-006")
    page.get_by_text("Receive 1").click()
    for _ in range(20):
        scan(page, "40000006")
    expect(page.get_by_text("All posted")).to_be_visible()
    expect(page.locator(".scan-result[data-state=done]")).to_have_count(20)
    assert system.stock_of("MUG-006") == before + 20
    scan(page, "no-such-code")
    expect(page.get_by_text("No product has the code no-such-code")).to_be_visible()


def test_sale_without_a_network_waits_and_arrives_once(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/sell", role="salesperson", width=360)
    before = system.stock_of("MUG-007")
    scan(page, "40000007")
    scan(page, "40000007")
    expect(page.get_by_role("button", name="Take €15.00")).to_be_enabled()
    page.context.set_offline(True)
    page.get_by_role("button", name="Take €15.00").click()
    expect(page.get_by_text("waiting for the connection…")).to_be_visible()
    expect(page.get_by_text("1 change is waiting for the connection")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".scan-result[data-state=done]")).to_contain_text("2 pieces")
    assert system.stock_of("MUG-007") == before - 2
    page.reload()
    expect(page.locator(".scan-result[data-state=done]")).to_have_count(1)
    assert system.stock_of("MUG-007") == before - 2


def test_rows_change_live_and_a_broken_connection_is_reported(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/")
    connections: list[WebSocketRoute] = []

    def route(connection: WebSocketRoute) -> None:
        if len(connections) == 0:
            connection.connect_to_server()
        else:
            connection.close()
        connections.append(connection)

    page.route_web_socket(re.compile("/api/v1/ws"), route)
    page.goto(f"{system.url}/products?search=MUG-008")
    row = page.get_by_role("row").filter(has_text="MUG-008")
    expect(row).to_contain_text("40")
    page.evaluate("window.marker = 1")
    product = system.call("GET", "/products/by-sku/MUG-008")
    movement = {"product_id": product["id"], "warehouse_id": product["stock"][0]["warehouse_id"]}
    system.call("POST", "/stock-movements", {**movement, "movement_type": "in", "quantity": 3})
    expect(row).to_contain_text("43")
    assert page.evaluate("window.marker") == 1, "without a reload"
    connections[0].close()
    expect(page.get_by_text("No live connection: what you see is from")).to_be_visible()
    expect(row).to_contain_text("43")


def test_find_and_shortcuts_work_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/sales")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Find")).to_be_focused()
    page.keyboard.type("MUG-009")
    expect(page.get_by_role("listbox", name="Results").get_by_role("option").first).to_contain_text("Mug number 9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Mug number 9", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("MUG-011")
    page.keyboard.press("Enter")  # waits for what was typed, as when a person does not
    expect(page.get_by_role("heading", name="Mug number 11", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("New prod")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New product", level=1)).to_be_visible()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Products", level=1)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("gp?")
    assert page.get_by_label("Name, SKU or barcode").input_value() == "gp?", "no shortcut fires while typing"
    assert page.get_by_role("dialog").count() == 0


def _press_ctrl_k_before_the_palette_is_loaded(page: Page, keys: str) -> Route:
    """Returns the request of its script, which waits."""
    requests: list[Route] = []

    def hold(request: Route) -> None:
        requests.append(request)

    page.route("**/palette-*.js", hold)
    page.reload()
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type(keys)
    expect(page.get_by_role("heading", name="Sales", level=1)).to_be_visible()
    return requests[0]


def test_what_is_typed_before_the_palette_is_there_is_kept(open_page: OpenPage) -> None:
    page = open_page("/sales")
    request = _press_ctrl_k_before_the_palette_is_loaded(page, "gp New prodx")  # `g p` alone would leave the page
    page.keyboard.press("Backspace")
    request.continue_()
    find = page.get_by_role("combobox", name="Find")
    expect(find).to_have_value("gp New prod")
    page.keyboard.press("Control+k")
    page.keyboard.type("!")
    expect(find).to_have_value("gp New prod!")


def test_enter_before_the_palette_is_there_opens_what_was_typed(open_page: OpenPage) -> None:
    page = open_page("/sales")
    request = _press_ctrl_k_before_the_palette_is_loaded(page, "New prod")
    page.keyboard.press("Enter")
    request.continue_()
    expect(page.get_by_role("heading", name="New product", level=1)).to_be_visible()


def test_sale_is_taken_back_and_the_balance_is_the_servers(open_page: OpenPage, system: RunningSystem) -> None:
    warehouse = system.call("GET", "/products/by-sku/MUG-010")["stock"][0]["warehouse_id"]
    sale = system.call("POST", "/sales", {"warehouse_id": warehouse, "lines": [{"sku": "MUG-010", "quantity": 3}]})
    page = open_page(f"/sales/{sale['id']}", role="salesperson")
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog").get_by_label("Mug number 10").fill("1")
    page.get_by_role("button", name="Take back and refund").click()
    expect(page.get_by_text("Refund €7.50")).to_be_visible()
    expect(page.get_by_text("Partly returned")).to_be_visible()
    assert system.stock_of("MUG-010") == 38


def test_order_is_received_by_scan(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/purchase-orders/1", role="manager", width=360)
    before = system.stock_of("MUG-004")
    for _ in range(3):
        scan(page, "40000004")
    expect(page.get_by_label(re.compile("^Mug number 4"))).to_have_value("3")
    page.get_by_role("button", name="Receive these").click()
    expect(page.get_by_text("Received and in stock")).to_be_visible()
    assert system.stock_of("MUG-004") == before + 3


def test_count_is_entered_and_approved(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/counts/1", role="manager", width=360)
    scan(page, "40000012")
    expect(page.get_by_text("Mug number 12")).to_be_visible()
    page.get_by_label("Counted").fill("37")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("row").filter(has_text="MUG-012")).to_contain_text("-3")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Post the differences").click()
    expect(page.get_by_text("Count approved")).to_be_visible()
    assert system.stock_of("MUG-012") == 37


@pytest.mark.parametrize("path", ON_A_PHONE)
def test_page_fits_a_phone(open_page: OpenPage, path: str) -> None:
    page = open_page(path, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(("path", "scheme"), [(path, ("light", "dark")[n % 2]) for n, path in enumerate(PAGES)])
def test_main_page_is_accessible(open_page: OpenPage, path: str, scheme: str) -> None:
    """Every screen in both themes: `make browser`."""
    page = open_page(path, scheme=scheme)
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    assert violations(page) == []


def test_movement_and_deletion_are_undone(open_page: OpenPage, system: RunningSystem) -> None:
    product = system.call("POST", "/products", {"sku": "UNDO-1", "name": "Undo me", "unit_price": "1.00"})
    page = open_page(f"/products/{product['id']}")
    page.get_by_role("button", name="Move stock").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Quantity").fill("4")
    dialog.get_by_role("button", name="Post").click()
    expect(page.get_by_text("Posted. Balance: 4")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Posted. Balance: 4")).to_have_count(0)
    assert system.stock_of("UNDO-1") == 0
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Products", level=1)).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("UNDO-1 deleted")).to_have_count(0)
    assert system.call("GET", f"/products/{product['id']}")["name"] == "Undo me"


def test_deleting_a_record_asks_first(open_page: OpenPage, system: RunningSystem) -> None:
    customer = system.call("POST", "/customers", {"name": "Short Visit"})["id"]
    page = open_page(f"/customers/{customer}")
    page.get_by_role("button", name="Delete Short Visit").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert system.call("GET", f"/customers/{customer}")["name"] == "Short Visit"
    page.get_by_role("button", name="Delete Short Visit").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Short Visit deleted")).to_be_visible()


def test_health_shows_every_service_with_its_queues(open_page: OpenPage) -> None:
    page = open_page("/health-status")
    services = page.get_by_role("region", name="Table: Services and their parts")
    for name in ("auth", "catalog", "stock", "notifications"):
        expect(services.get_by_role("row").filter(has_text=name)).to_contain_text("works")
    expect(page.get_by_role("row").filter(has_text="stock.catalog.v1")).to_be_visible()
    expect(page.get_by_text("requests were faster")).to_be_visible()
