"""Apps in the console: an admin registers one, a user sees and withdraws what they have allowed it."""

import base64
import hashlib
import json
import re

from playwright.sync_api import Browser, Page, expect

from .conftest import PASSWORD, OpenPage, RunningSystem, log_in, new_context, violations, wait_until, watch

VERIFIER = "a-code-verifier-that-has-at-least-43-characters"
REDIRECT_URI = "https://orders.example.com/back"


def test_admin_registers_changes_and_deletes_an_app(open_page: OpenPage, system: RunningSystem) -> None:
    page = open_page("/apps")
    expect(page.get_by_text("No app is registered")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Register an app").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Order Tool")
    dialog.get_by_label("Redirect addresses").fill("http://orders.example.com/back")
    dialog.get_by_label("sell", exact=True).check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Register").click()
    expect(dialog.get_by_text("must begin with https://").first).to_be_visible()
    dialog.get_by_label("Redirect addresses").fill(REDIRECT_URI)
    dialog.get_by_role("button", name="Register").click()
    notice = page.get_by_role("status").filter(has_text="Copy the secret of Order Tool now")
    first = notice.locator("code").nth(1).inner_text()
    row = page.get_by_role("row").filter(has_text="Order Tool")
    expect(row).to_contain_text(f"ends in {first[-4:]}")
    row.get_by_role("button", name="New secret for Order Tool").click()
    page.get_by_role("dialog").get_by_role("button", name="New secret").click()
    expect(notice.locator("code").nth(1)).not_to_have_text(first)
    row.get_by_role("button", name="Edit Order Tool").click()
    dialog.get_by_label("Redirect addresses").fill(f"{REDIRECT_URI}\nhttp://127.0.0.1/done")
    dialog.get_by_label("read sales and returns", exact=True).check()
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("http://127.0.0.1/done")
    expect(row).to_contain_text(re.compile(r"2 of \d+"))
    assert violations(page) == []
    (app,) = system.call("GET", "/oauth/clients")["items"]
    assert (app["redirect_uris"], app["scopes"]) == (
        [REDIRECT_URI, "http://127.0.0.1/done"],
        ["sale.read", "sale.create"],
    )
    row.get_by_role("button", name="Delete Order Tool").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No app is registered")).to_be_visible()
    assert system.call("GET", "/oauth/clients")["items"] == []


def allow(page: Page, system: RunningSystem, client_id: str) -> str:
    """The code that the app receives after the consent."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    query = f"client_id={client_id}&redirect_uri={REDIRECT_URI}&response_type=code&scope=catalog.read"
    page.route(f"{REDIRECT_URI}*", lambda route: route.fulfill(status=200, body="back"))
    page.goto(f"{system.url}/api/v1/oauth/authorize?{query}&code_challenge={challenge}&code_challenge_method=S256")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{REDIRECT_URI}*")
    code = re.search("[?&]code=([^&]+)", page.url)
    assert code
    return code[1]


def test_user_withdraws_what_an_app_may_do(system: RunningSystem, browser: Browser) -> None:
    user = {"username": "tim", "email": "tim@example.com", "password": PASSWORD}
    system.call("PATCH", f"/users/{system.call('POST', '/auth/register', user)['id']}", {"role": "salesperson"})
    app = system.call(
        "POST",
        "/oauth/clients",
        {"name": "Reader", "is_confidential": False, "redirect_uris": [REDIRECT_URI], "scopes": ["catalog.read"]},
    )
    context = new_context(browser, viewport={"width": 360, "height": 900})
    page = watch(context.new_page())
    log_in(page, system.url, "tim")
    form = {
        "grant_type": "authorization_code", "client_id": app["client_id"], "redirect_uri": REDIRECT_URI,
        "code": allow(page, system, app["client_id"]), "code_verifier": VERIFIER,
    }  # fmt: skip
    token = system.http.post("/api/v1/auth/token", data=form, timeout=60).json()["access_token"]
    of_app = {"Authorization": f"Bearer {token}"}
    assert system.http.get("/api/v1/products", headers=of_app, timeout=60).status_code == 200
    page.goto(f"{system.url}/account")
    section = page.get_by_role("region", name="Apps that act for you", exact=True)
    expect(section).to_contain_text("Reader")
    section.get_by_text(re.compile(r"1 of \d+")).click()
    expect(section).to_contain_text("read products, categories and suppliers")
    assert violations(page) == []
    section.get_by_role("button", name="Withdraw what Reader may do").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(section).to_contain_text("You have allowed no app")
    url, headers = json.dumps(f"{system.url}/api/v1/products"), json.dumps({"Authorization": f"Bearer {token}"})
    wait_until(page, f"() => fetch({url}, {{headers: {headers}}}).then((response) => response.status === 401)")
    assert system.call("GET", "/oauth/clients")["total"] == 1
    context.close()
