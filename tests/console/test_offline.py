"""Without a connection, also after a reload: pages read last remain readable, and commands wait and arrive once."""

import contextlib
import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import PASSWORD, RunningSystem, log_in, new_context, violations, wait_until, watch
from .person import scan

KEPT = """async () => {
  const opened = indexedDB.open('stockbuddy-reads');
  const database = await new Promise((done) => { opened.onsuccess = () => done(opened.result) });
  const count = database.transaction('reads').objectStore('reads').count();
  const number = await new Promise((done) => { count.onsuccess = () => done(count.result) });
  database.close();
  return number;
}"""

IS_KEPT = """async (path) => {
  const opened = indexedDB.open('stockbuddy-reads');
  const database = await new Promise((done) => { opened.onsuccess = () => done(opened.result) });
  const all = database.transaction('reads').objectStore('reads').getAll();
  const reads = await new Promise((done) => { all.onsuccess = () => done(all.result) });
  database.close();
  return reads.some((read) => read.queryKey[1] === path);
}"""


TILL = """async () => {
  const opened = indexedDB.open('stockbuddy-till', 1);
  const database = await new Promise((done) => { opened.onsuccess = () => done(opened.result) });
  const stores = database.transaction(['about', 'products']);
  const read = (name) => new Promise((done) => {
    const all = stores.objectStore(name).getAll();
    all.onsuccess = () => done(all.result);
  });
  const found = {about: await read('about'), products: (await read('products')).map(({product}) => product)};
  database.close();
  return found;
}"""


@pytest.fixture
def page(system: RunningSystem, browser: Browser) -> Iterator[Page]:
    """Of a manager with a session of their own, and with the service worker."""
    user = {"username": "olga", "email": "olga@example.com", "password": PASSWORD}
    users = system.call("GET", "/users?search=olga")["items"]
    user_id = users[0]["id"] if users else system.call("POST", "/auth/register", user)["id"]
    system.call("PATCH", f"/users/{user_id}", {"role": "manager"})
    with open_session(system, browser, "olga") as page:
        yield page


@pytest.fixture
def till(system: RunningSystem, browser: Browser) -> Iterator[Page]:
    """Of a salesperson."""
    with open_session(system, browser, "sam") as page:
        yield page


@contextlib.contextmanager
def open_session(system: RunningSystem, browser: Browser, username: str) -> Iterator[Page]:
    context = new_context(browser, viewport={"width": 1200, "height": 900}, service_workers="allow")
    page = watch(context.new_page())
    log_in(page, system.url, username)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yield page
    context.close()


def read(page: Page, system: RunningSystem, path: str, shown: str) -> None:
    page.goto(system.url + path)
    expect(page.get_by_role("main")).to_contain_text(shown)


def read_and_keep(page: Page, system: RunningSystem, path: str, shown: str, kept: str) -> None:
    """Loading another page ends what this page still writes: first await that the browser has kept the answer."""
    read(page, system, path, shown)
    wait_until(page, f"() => ({IS_KEPT})({json.dumps(kept)})")


def wait_for_open_connection(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="No live connection")).to_have_count(0)


def test_pages_read_last_open_and_sales_and_counts_arrive_once(page: Page, system: RunningSystem) -> None:
    product = system.call("GET", "/products/by-sku/MUG-020")
    mug_14 = system.call("GET", "/products/by-sku/MUG-014")["id"]
    warehouse = "Harbour" if len(product["stock"]) > 1 else "Main warehouse"
    read_and_keep(page, system, "/products?search=MUG-02", "Mug number 20", "/products")
    read_and_keep(page, system, f"/products/{product['id']}", warehouse, f"/products/{product['id']}")
    read_and_keep(page, system, "/sales", "S-000001", "/sales")
    read_and_keep(page, system, "/counts/1", "of 15 counted", "/stock-counts/1")
    read(page, system, "/sell", "To pay")
    before, sales = system.stock_of("MUG-020"), system.call("GET", "/sales")["total"]

    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("No live connection: what you see is from")).to_be_visible()
    scan(page, "40000020")
    page.get_by_role("button", name="Take €7.50").click()
    expect(page.get_by_text("1 change is waiting for the connection")).to_be_visible()
    read(page, system, "/products?search=MUG-02", "Mug number 20")
    expect(page.get_by_role("row").filter(has_text="MUG-020")).to_contain_text("€7.50")
    assert violations(page) == []
    read(page, system, f"/products/{product['id']}", "Product data")
    expect(page.get_by_role("heading", name="Mug number 20", level=1)).to_be_visible()
    read(page, system, "/sales", "S-000001")
    read(page, system, "/counts/1", "of 15 counted")
    scan(page, "MUG-014")
    expect(page.get_by_text("Mug number 14", exact=True)).to_be_visible()
    page.get_by_label("Counted").fill("39")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("2 changes are waiting for the connection")).to_be_visible()
    page.reload()
    expect(page.get_by_text("2 changes are waiting for the connection")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="MUG-014")).to_contain_text("39")
    read(page, system, "/suppliers", "This device has not read it lately.")

    page.context.set_offline(False)
    expect(page.get_by_role("status").filter(has_text="waiting for the connection")).to_have_count(0)
    expect(page.get_by_text("Clay & Sons")).to_be_visible()
    wait_for_open_connection(page)
    page.reload()
    assert system.stock_of("MUG-020") == before - 1
    assert system.call("GET", "/sales")["total"] == sales + 1
    lines = system.call("GET", "/stock-counts/1")["lines"]
    assert [line["counted"] for line in lines if line["product_id"] == mug_14] == [39]


def test_what_was_read_is_forgotten_at_logout_and_with_other_permissions(page: Page, system: RunningSystem) -> None:
    read(page, system, "/products?search=MUG-02", "Mug number 20")
    wait_until(page, f"() => ({KEPT})().then((number) => number > 0)")
    user_id = system.call("GET", "/users?search=olga")["items"][0]["id"]
    system.call("PATCH", f"/users/{user_id}", {"role": "salesperson"})
    page.goto(f"{system.url}/scan")
    expect(page.get_by_text("Ready to scan")).to_be_visible()
    page.context.set_offline(True)
    read(page, system, "/products?search=MUG-02", "This device has not read it lately.")
    page.context.set_offline(False)
    expect(page.get_by_role("row").filter(has_text="MUG-020")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    wait_until(page, f"() => ({KEPT})().then((number) => number === 0)")
    page.context.set_offline(True)
    page.goto(f"{system.url}/products?search=MUG-02")
    expect(page.get_by_role("alert")).to_contain_text("The server can't be reached")
    assert page.get_by_text("Mug number 20").count() == 0


def test_page_that_a_new_version_replaces_is_never_shown_with_a_connection(page: Page, system: RunningSystem) -> None:
    """The server's page wins; the device's is for times without a connection."""
    served = page.goto(f"{system.url}/scan")
    assert served
    nonces = {re.findall('csp-nonce" content="([^"]+)"', served.text())[0]}
    for _ in range(2):
        served = page.reload()
        assert served
        nonces.add(re.findall('csp-nonce" content="([^"]+)"', served.text())[0])
    assert len(nonces) == 3
    urls = page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys())
            for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
          return found;
        }"""
    )
    assert "/shell" in urls
    assert [url for url in urls if not url.startswith("/console/") and url != "/shell"] == []


def test_till_sells_what_was_never_opened_on_it(till: Page, system: RunningSystem) -> None:
    page = till
    read(page, system, "/sell", "To pay")
    wait_until(page, f"() => ({TILL})().then(({{about}}) => about[0]?.filledAt > 0)")
    kept = page.evaluate(TILL)["products"]
    assert {f"MUG-{number:03}" for number in range(1, 31)} <= {product["sku"] for product in kept}
    assert not any({"cost_price", "description"} & set(product) for product in kept), "only what a salesperson sees"
    mug_28, mug_29 = (system.call("GET", f"/products/by-sku/MUG-0{number}")["id"] for number in (28, 29))
    system.call("PATCH", f"/products/{mug_28}", {"unit_price": "8.25"})
    system.call("PATCH", f"/products/{mug_29}", {"is_active": False})
    wait_until(
        page,
        f"""() => ({TILL})().then(({{products}}) => products.some((one) => one.unit_price === "8.25")
            && !products.some((one) => one.sku === "MUG-029"))""",
    )
    system.call("PATCH", f"/products/{mug_29}", {"is_active": True})
    before = system.stock_of("MUG-028")

    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("No live connection: what you see is from")).to_be_visible()
    scan(page, "40000028")
    expect(page.get_by_label("Quantity of MUG-028")).to_have_value("1")
    entry = page.get_by_role("combobox", name="Add a product")
    entry.fill("mug number 28")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("MUG-028")
    entry.press("Enter")
    page.get_by_role("button", name="Take €16.50").click()
    expect(page.get_by_text("1 change is waiting for the connection")).to_be_visible()

    page.context.set_offline(False)
    expect(page.get_by_role("status").filter(has_text="waiting for the connection")).to_have_count(0)
    wait_for_open_connection(page)
    assert system.stock_of("MUG-028") == before - 2
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    wait_until(page, f"() => ({TILL})().then(({{about, products}}) => about.length + products.length === 0)")
