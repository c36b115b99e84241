"""The most frequent tasks of a manager, in this order."""

import re

from playwright.sync_api import expect

from .person import Person


def see_takings(person: Person) -> None:
    """See today's takings and what waits."""
    person.sees("Takings today")
    person.sees("Low stock")


def change_price(person: Person) -> None:
    """Change a price."""
    person.open("Products")
    person.fill("Name, SKU or barcode", "MUG-026")
    person.click(re.compile("^Price of MUG-026"))
    price = person.page.get_by_role("textbox", name=re.compile("^Price of MUG-026"))
    price.fill("8.20")
    price.press("Enter")
    expect(person.page.get_by_role("button", name=re.compile("^Price of MUG-026: €8.20"))).to_be_visible()


def enter_product(person: Person) -> None:
    """Enter a new product."""
    person.find("New product")
    person.fill("SKU", "CUP-001")
    person.fill("Name", "Cup")
    person.fill("Price", "4.50")
    person.click("Create the product")
    expect(person.page.get_by_role("heading", name="Cup", level=1)).to_be_visible()


def order_from_supplier(person: Person) -> None:
    """Order from a supplier."""
    person.open("Purchase orders")
    person.click("New order")
    person.pick("Supplier", "Clay", within=person.dialog)
    person.pick("Add a product", "MUG-027", within=person.dialog)
    person.click("Save as a draft", within=person.dialog)
    person.click("Place the order")
    person.sees("Outstanding")


def receive_delivery(person: Person) -> None:
    """Receive a delivery by scanning."""
    person.open("Purchase orders")
    person.page.get_by_role("main").get_by_role("row").nth(1).get_by_role("link").first.click()
    person.clicks += 1
    person.sees("MUG-027")
    person.scan("40000027")
    person.click("Receive these")
    person.sees("Received and in stock")


def correct_level(person: Person) -> None:
    """Correct a level by hand."""
    person.find("MUG-028")
    person.click("Move stock")
    person.fill("Quantity", "2", within=person.dialog)
    person.click("Post", within=person.dialog)
    person.sees("Posted. Balance: 42")


def send_to_other_shop(person: Person) -> None:
    """Send goods to the other shop."""
    person.open("Transfers")
    person.click("New transfer")
    person.pick("Add a product", "MUG-029", within=person.dialog)
    person.click("Create the transfer", within=person.dialog)
    person.click("Ship")
    person.sees("On the way")


def count_category(person: Person) -> None:
    """Count the products of a category."""
    person.open("Counts")
    person.click("Start a count")
    person.dialog.get_by_label("Category").select_option("Mugs")
    person.click("Start", within=person.dialog)
    expect(person.page.get_by_label("Counted").first).to_be_visible()
    person.scan("40000029")
    person.sees("Mug number 29")
    person.fill("Counted", "39")
    person.click("Next")
    expect(person.page.get_by_role("row").filter(has_text="MUG-029")).to_be_visible()


def enter_expense(person: Person) -> None:
    """Enter the rent."""
    person.open("Expenses")
    person.click("New expense")
    person.fill("What for", "Rent", within=person.dialog)
    person.fill("Amount", "900", within=person.dialog)
    person.click(re.compile("^(Create|Save)"), within=person.dialog)
    person.sees("€900.00")


def see_profit(person: Person) -> None:
    """See the profit of this month."""
    person.open("Reports")
    person.page.get_by_label("Report", exact=True).select_option(label="Profit")
    person.sees("Sales less the cost of the goods and the expenses.")


TASKS = (
    see_takings,
    change_price,
    enter_product,
    order_from_supplier,
    receive_delivery,
    correct_level,
    send_to_other_shop,
    count_category,
    enter_expense,
    see_profit,
)
