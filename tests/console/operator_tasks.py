"""The most frequent tasks of an operator, in this order."""

import re

from playwright.sync_api import expect

from .person import Person


def see_services(person: Person) -> None:
    """See whether every service works."""
    person.open("Health")
    expect(person.page.get_by_role("region", name="Table: Services and their parts")).to_contain_text("works")


def see_release(person: Person) -> None:
    """See which release runs."""
    person.open("Health")
    person.sees(re.compile("^Release .* running since"))


def see_response_times(person: Person) -> None:
    """See how long requests take."""
    person.open("Health")
    person.sees("1 of 100 requests takes longer")


def see_dead_letters(person: Person) -> None:
    """Look for events that could not be handled."""
    person.open("Health")
    person.sees("Events that could not be handled")


def see_emails(person: Person) -> None:
    """See whether e-mails are sent."""
    person.open("Health")
    person.sees("No e-mail is waiting.")


def watch_movements(person: Person) -> None:
    """Watch the events of stock movements."""
    person.open("Events")
    person.fill("Filter", "stock.movement")
    person.system.call("POST", "/sales", {"lines": [{"sku": "MUG-030", "quantity": 1}]})
    expect(person.page.get_by_role("main")).to_contain_text("stock.movement.posted")


def verify_trail(person: Person) -> None:
    """Verify the audit trail."""
    person.open("Audit trail")
    person.click("Verify the trail")
    person.sees(re.compile("^Complete and unchanged"))


def find_logins(person: Person) -> None:
    """Find out who logged in."""
    person.open("Audit trail")
    person.fill("Type, as auth.*", "auth.session.*")
    expect(person.page.get_by_role("row").filter(has_text="otto").first).to_be_visible()


def follow_product(person: Person) -> None:
    """Follow the movements of a product."""
    person.find("MUG-030")
    expect(person.page.get_by_role("main")).to_contain_text("Movements")


def see_users(person: Person) -> None:
    """See who may log in."""
    person.open("Users")
    person.sees("otto@example.com")


TASKS = (
    see_services,
    see_release,
    see_response_times,
    see_dead_letters,
    see_emails,
    watch_movements,
    verify_trail,
    find_logins,
    follow_product,
    see_users,
)
