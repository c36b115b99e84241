"""The most frequent tasks of a salesperson, in this order."""

import re

from playwright.sync_api import expect

from .person import Person


def sell_two_scanned_products_for_cash(person: Person) -> None:
    """Sell two scanned products for cash."""
    person.open("Sell")
    person.scan("40000020")
    person.scan("40000021")
    person.fill("Given", "20")
    person.sees("€5.00")
    person.click("Take €15.00")
    person.sees(re.compile("2 pieces"))


def find_out_how_many_of_a_product_there_are(person: Person) -> None:
    """Find out how many of a product there are."""
    person.find("MUG-022")
    person.sees("Mug number 22")
    expect(person.page.get_by_role("row").filter(has_text=re.compile("Main|MAIN|Default")).first).to_contain_text("40")


def check_a_price_by_scanning(person: Person) -> None:
    """Check a price by scanning."""
    person.open("Scan")
    person.scan("40000023")
    person.sees("€7.50")


def register_a_customer(person: Person) -> None:
    """Register a customer."""
    person.open("Customers")
    person.click("New customer")
    person.fill("Name", "Grace Hopper", within=person.dialog)
    person.click(re.compile("^(Create|Save)"), within=person.dialog)
    person.sees("Grace Hopper")


def sell_to_a_known_customer_by_card(person: Person) -> None:
    """Sell to a known customer by card."""
    person.open("Sell")
    person.scan("40000024")
    person.page.get_by_label("Payment").select_option("card")
    person.pick("Customer", "Grace Hopper")
    person.click("Take €7.50")
    person.sees(re.compile("1 pieces"))


def take_back_a_sold_product(person: Person) -> None:
    """Take back a sold product."""
    person.open("Sales")
    person.page.get_by_role("main").get_by_role("row").nth(1).get_by_role("link").first.click()
    person.clicks += 1
    person.click("Take back")
    person.fill("Mug number 24", "1", within=person.dialog)
    person.click("Take back and refund", within=person.dialog)
    person.sees("Refund €7.50")


def find_a_sale_by_its_number(person: Person) -> None:
    """Find a sale by its number."""
    number = person.system.call("GET", "/sales?page_size=1")["items"][0]["number"]
    person.find(number)
    expect(person.page.get_by_role("heading", name=f"Sale {number}", level=1)).to_be_visible()


def hold_goods_for_a_customer(person: Person) -> None:
    """Hold goods for a customer."""
    person.open("Reservations")
    person.click("Reserve goods")
    person.pick("Product", "MUG-025", within=person.dialog)
    person.dialog.get_by_role("textbox", name="For", exact=True).fill("Grace, Monday")
    person.click("Reserve", within=person.dialog)
    person.sees("Held until")


def sell_held_goods(person: Person) -> None:
    """Sell held goods."""
    person.open("Reservations")
    person.click("Sell", within=person.page.get_by_role("row").filter(has_text="Grace, Monday"))
    person.sees(re.compile("^Reservation .* changed"))


def see_what_sold_today(person: Person) -> None:
    """See what sold today."""
    person.open("Sales")
    expect(person.page.get_by_role("main").get_by_role("row").nth(3)).to_contain_text("€")


TASKS = (
    sell_two_scanned_products_for_cash,
    find_out_how_many_of_a_product_there_are,
    check_a_price_by_scanning,
    register_a_customer,
    sell_to_a_known_customer_by_card,
    take_back_a_sold_product,
    find_a_sale_by_its_number,
    hold_goods_for_a_customer,
    sell_held_goods,
    see_what_sold_today,
)
