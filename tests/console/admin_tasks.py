"""The most frequent tasks of an admin, in this order."""

import re

from playwright.sync_api import FilePayload, expect

from .person import Person


def invite_colleague(person: Person) -> None:
    """Invite a colleague."""
    person.open("Users")
    person.click("Invite a user")
    person.fill("For whom", "Katherine", within=person.dialog)
    person.click("Create the invitation", within=person.dialog)
    person.sees("Send this link to the person; it is not shown again, and works once")


def change_role_of_user(person: Person) -> None:
    """Give a user another role."""
    person.open("Users")
    person.click("Edit", within=person.page.get_by_role("row").filter(has_text="sam@example.com"))
    person.dialog.get_by_label("Role").select_option("viewer")
    person.click("Save", within=person.dialog)
    expect(person.page.get_by_role("row").filter(has_text="sam@example.com")).to_contain_text("viewer")


def copy_role(person: Person) -> None:
    """Make a role of one's own."""
    person.open("Roles")
    person.click("Copy the role salesperson")
    person.fill("Name", "till", within=person.dialog)
    person.click(re.compile("^(Create|Save)"), within=person.dialog)
    expect(person.page.get_by_role("row").filter(has_text="till").first).to_be_visible()


def import_products(person: Person) -> None:
    """Import products from a file."""
    person.open("Imports")
    content = b"sku,name,price\nJUG-001,Jug,12.50\nJUG-002,Small jug,9.50\n"
    file = FilePayload(name="jugs.csv", mimeType="text/csv", buffer=content)
    person.page.locator("input[type=file]").set_input_files(file)
    person.clicks += 1
    person.click("Import", within=person.page.get_by_role("main"))
    person.sees("2 new, 0 changed, 0 failed")


def change_threshold(person: Person) -> None:
    """Change when stock counts as low."""
    person.open("Settings")
    person.fill("Low at, where a product has no threshold of its own", "8")
    person.click("Save")
    person.sees("Settings saved")


def open_shop(person: Person) -> None:
    """Open another shop."""
    person.open("Warehouses")
    person.click("New warehouse")
    person.fill("Name", "Market", within=person.dialog)
    person.fill("Code", "MARKET", within=person.dialog)
    person.click(re.compile("^(Create|Save)"), within=person.dialog)
    person.sees("MARKET")


def connect_program(person: Person) -> None:
    """Connect another program."""
    person.open("Webhooks")
    person.click("New webhook")
    person.fill("Address", "https://books.example.com/stock", within=person.dialog)
    person.click("Create the webhook", within=person.dialog)
    person.sees("The secret for verifying signatures; it is not shown again")


def create_key(person: Person) -> None:
    """Make a key for a till."""
    person.open("Account")
    person.click("New key")
    person.fill("Name", "till 1", within=person.dialog)
    person.click("Create the key", within=person.dialog)
    person.sees("Copy the key now; it is not shown again")


def find_change(person: Person) -> None:
    """Find out who changed a product."""
    person.open("Audit trail")
    person.fill("Person, subject, text", "product")
    expect(person.page.get_by_role("row").nth(1)).to_contain_text("product")


def check_health(person: Person) -> None:
    """Check that the system is well."""
    person.open("Health")
    person.sees("Typical response")


TASKS = (
    invite_colleague,
    change_role_of_user,
    copy_role,
    import_products,
    change_threshold,
    open_shop,
    connect_program,
    create_key,
    find_change,
    check_health,
)
