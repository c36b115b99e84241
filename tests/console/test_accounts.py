"""Logins with second factors, passkeys and identity providers, and the pages that e-mails and invitations lead to."""

import email
import re
from collections.abc import Iterator
from email.policy import default
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import PASSWORD, RunningSystem, log_in, new_context, violations, watch

NEW_PASSWORD = "amber-Lantern-64"


@pytest.fixture
def page(system: RunningSystem, browser: Browser) -> Iterator[Page]:
    """Without a session, at `localhost`: an address has no passkeys."""
    context = new_context(browser, viewport={"width": 1000, "height": 900})
    yield watch(context.new_page())
    context.close()


def url_of(system: RunningSystem) -> str:
    return system.url.replace("127.0.0.1", "localhost")


def register(system: RunningSystem, name: str) -> None:
    user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    system.call("PATCH", f"/users/{system.call('POST', '/auth/register', user)['id']}", {"role": "salesperson"})


def enter_password(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("User name or e-mail").fill(name)
    page.locator("input[autocomplete=current-password]").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def secret_on(page: Page) -> str:
    shown = page.locator("code").filter(has_text=re.compile("^[A-Z2-7 ]{20,}$"))
    expect(shown).to_be_visible()
    return shown.inner_text().replace(" ", "")


def codes_on(page: Page) -> list[str]:
    shown = page.locator(".recovery-codes")
    expect(shown).to_be_visible()
    return shown.inner_text().split()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").first.click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_app_is_set_up_and_logins_need_its_code_or_a_recovery_code(page: Page, system: RunningSystem) -> None:
    register(system, "tom")
    log_in(page, url_of(system), "tom")
    page.goto(f"{url_of(system)}/account")
    page.get_by_role("button", name="Set up", exact=True).click()
    expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    app = pyotp.TOTP(secret_on(page))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Code of the app").fill("000000")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Code of the app").fill(app.now())
    dialog.get_by_role("button", name="Confirm").click()
    codes = codes_on(page)
    assert len(codes) == 10
    assert violations(page) == []
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    log_out(page)
    enter_password(page, "tom")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    expect(page.get_by_text("9 of 10 are left")).to_be_visible()


def test_role_that_needs_a_factor_sets_one_up_in_the_login(page: Page, system: RunningSystem) -> None:
    user = {"username": "una", "email": "una@example.com", "password": PASSWORD}
    system.call("PATCH", f"/users/{system.call('POST', '/auth/register', user)['id']}", {"role": "manager"})
    system.call("PATCH", "/system-settings", {"second_factor_roles": ["manager"]})
    try:
        page.goto(url_of(system))
        enter_password(page, "una")
        expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
        code = pyotp.TOTP(secret_on(page)).now()
        assert violations(page) == []
        page.get_by_label("Code of the app").fill(code)
        page.get_by_role("button", name="Continue").click()
        assert len(codes_on(page)) == 10
        page.get_by_role("button", name="I have kept them").click()
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
    finally:
        system.call("PATCH", "/system-settings", {"second_factor_roles": []})


def test_passkey_logs_in_alone_and_proves_the_identity_again(page: Page, system: RunningSystem) -> None:
    register(system, "pia")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    log_in(page, url_of(system), "pia")
    page.goto(f"{url_of(system)}/account")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Phone")
    page.get_by_role("dialog").get_by_role("button", name="Continue").click()
    assert len(codes_on(page)) == 10
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_role("row").filter(has_text="Phone")).to_be_visible()
    log_out(page)
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    answers = iter([{"code": "step_up_required", "status": 403, "methods": ["code", "passkey"], "title": "Forbidden"}])
    page.route("**/api/v1/auth/factors", lambda route: _refuse_once(route, answers))
    page.get_by_role("button", name="Set up", exact=True).click()
    dialog = page.get_by_role("dialog", name="Is it you?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("dialog", name="Set up an authenticator app")).to_be_visible()


def _refuse_once(route: Any, answers: Iterator[dict[str, Any]]) -> None:
    """As after ten minutes, when the proof has expired."""
    answer = next(answers, None) if route.request.method == "POST" else None
    if answer is None:
        route.continue_()
    else:
        route.fulfill(status=403, content_type="application/problem+json", json=answer)


def test_forgotten_password_is_replaced_by_the_link_of_the_e_mail(page: Page, system: RunningSystem) -> None:
    register(system, "rosa")
    page.goto(url_of(system))
    page.get_by_role("button", name="Forgot the password?").click()
    page.get_by_label("E-mail").fill("rosa@example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    link = _link_to(page, system, "rosa@example.com")
    page.goto(link)
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    assert "token" not in page.evaluate("location.href"), "the address has no secret"
    assert violations(page) == []
    new, again = page.locator("input[autocomplete=new-password]").all()
    new.fill(NEW_PASSWORD)
    again.fill("another-Password-9")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("differs from the new password")).to_be_visible()
    again.fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="The password is changed")).to_be_visible()
    page.get_by_role("link", name="Log in").click()
    enter_password(page, "rosa", NEW_PASSWORD)
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.goto(f"{url_of(system)}/confirm-email#token=used-or-invalid")
    page.get_by_role("button", name="Confirm the address").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _link_to(page: Page, system: RunningSystem, recipient: str) -> str:
    """From the e-mails that a system without an SMTP server keeps as files."""
    for _ in range(600):
        for path in Path(system.mails).glob("*.eml"):
            message = email.message_from_bytes(path.read_bytes(), policy=default)
            found = re.search(r"http://\S+", message.get_content())
            if message["To"] == recipient and found:
                return found[0]
        page.wait_for_timeout(100)
    raise AssertionError(f"no e-mail to {recipient}")


def test_invited_person_creates_an_account_with_the_chosen_role(
    page: Page, system: RunningSystem, browser: Browser, admin_state: Any
) -> None:
    context = new_context(browser, admin_state)
    admin = watch(context.new_page())
    admin.goto(f"{system.url}/users")
    admin.get_by_role("button", name="Invite a user").click()
    admin.get_by_role("dialog").get_by_label("For whom").fill("Ina")
    admin.get_by_role("dialog").get_by_role("button", name="Create the invitation").click()
    link = admin.locator("code").filter(has_text="/invitation#token=").inner_text()
    context.close()
    page.goto(link)
    expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Your name").fill("Ina Ivers")
    page.get_by_label("E-mail").fill("ina@example.com")
    page.locator("input[autocomplete=new-password]").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_text("Hello Ina Ivers")).to_be_visible()


def test_failed_single_sign_on_ends_at_the_login_with_a_message(page: Page, system: RunningSystem) -> None:
    provider = {"name": "corp", "title": "Example Ltd", "start_url": f"{url_of(system)}/api/v1/auth/oidc/corp/start"}
    page.route("**/api/v1/auth/providers", lambda route: route.fulfill(json={"items": [provider]}))
    page.goto(f"{url_of(system)}/sales?page=2")
    button = page.get_by_role("link", name="Log in with Example Ltd")
    expect(button).to_have_attribute("href", f"{provider['start_url']}?return_to=%2Fsales%3Fpage%3D2")
    page.goto("about:blank")
    page.goto(f"{url_of(system)}/#code=unknown_account")
    expect(page.get_by_role("alert")).to_contain_text("Ask an admin for an invitation")
    enter_password(page, "sam")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
