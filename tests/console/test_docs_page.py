"""`/docs`: *Try it out* works with what the page has filled in."""

from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PASSWORD, RunningSystem, new_context, watch

CALLS = (
    ("products", "create_product"),
    ("stock movements", "create_movement"),
    ("sales", "create_sale"),
    ("sales", "create_sale_return"),
)


def authorize(page: Page, access_token: str) -> None:
    page.locator(".auth-wrapper").get_by_role("button", name="Authorize").click()
    bearer = page.locator(".auth-container").filter(has_text="bearer").first
    bearer.locator("input").first.fill(access_token)
    bearer.get_by_role("button", name="Apply credentials").click()
    page.locator("button.btn-done").first.click()


def execute(page: Page, tag: str, operation: str) -> None:
    section = page.locator(f'.opblock-tag[data-tag="{tag}"]')
    if section.get_attribute("data-is-open") != "true":
        section.click()
    block = page.locator(f'[id="operations-{tag.replace(" ", "_")}-{operation}"]')
    block.locator(".opblock-summary-control").click()
    block.locator("button.execute").click()
    expect(block.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("201")


def test_examples_of_a_sale_can_be_tried_out(new_system: RunningSystem, browser: Browser) -> None:
    admin = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    assert new_system.http.post("/api/v1/auth/admin/register", json=admin, timeout=60).status_code == 201
    login = {"username": "ada", "password": PASSWORD}
    token = new_system.http.post("/api/v1/auth/login", json=login, timeout=60).json()["access_token"]
    context = new_context(browser)
    page = watch(context.new_page())
    page.goto(f"{new_system.url}/docs")
    authorize(page, token)
    for tag, operation in CALLS:
        execute(page, tag, operation)
    new_system.headers["Authorization"] = f"Bearer {token}"
    assert new_system.stock_of("MUG-1") == 98
    context.close()
