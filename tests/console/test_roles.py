"""Roles that admins define: their page, and what a user with one sees."""

from playwright.sync_api import Browser, expect

from .conftest import PASSWORD, RunningSystem, log_in, new_context, violations, watch


def test_role_is_defined_given_to_a_user_and_decides_what_they_see(system: RunningSystem, browser: Browser) -> None:
    user = {"username": "kim", "email": "kim@example.com", "password": PASSWORD}
    user_id = system.call("POST", "/auth/register", user)["id"]
    context = new_context(browser, viewport={"width": 1200, "height": 900})
    page = watch(context.new_page())
    log_in(page, system.url, "ada")
    page.goto(f"{system.url}/roles")
    page.get_by_role("button", name="New role").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("cashier")
    dialog.get_by_label("What it is for").fill("Sells at the till.")
    for permission in ("read sales and returns", "sell", "sell below the list price"):
        dialog.get_by_label(permission, exact=True).check()
    dialog.get_by_label("Largest discount, in percent").fill("10")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="cashier")
    expect(row).to_contain_text("up to 10 %")
    expect(row).to_contain_text("sale.discount")
    assert violations(page) == []
    page.goto(f"{system.url}/users")
    page.get_by_role("row").filter(has_text="kim").get_by_role("button", name="Edit").click()
    page.get_by_role("dialog").get_by_label("Role").select_option("cashier")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text="kim")).to_contain_text("cashier")
    assert system.call("GET", f"/users/{user_id}")["role"] == "cashier"
    context.close()
    context = new_context(browser, viewport={"width": 1200, "height": 900})
    page = watch(context.new_page())
    log_in(page, system.url, "kim")
    expect(page.get_by_role("link", name="Sell").first).to_be_visible()
    for hidden in ("Reports", "Users", "Purchase orders", "Imports"):
        expect(page.get_by_role("link", name=hidden, exact=True)).to_have_count(0)
    context.close()
