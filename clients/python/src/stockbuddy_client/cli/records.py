"""`stockbuddy products|stock|sales|orders`: lists, single records, and the changes that are made by hand."""

from collections.abc import Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

import click

from stockbuddy_client.cli.context import client_of, given, json_option
from stockbuddy_client.cli.output import print_fields, print_json, print_table

DEFAULT_LIMIT = 50


def print_record(record: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
    else:
        print_fields(record)


def parse_filters(_: click.Context, __: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if wrong := [name for name, separator, _ in pairs if not separator]:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE")
    return {name: value for name, _, value in pairs}


def list_command(path: str, columns: Sequence[str], what: str) -> click.Command:
    """A command `list` of a list of the API."""

    @click.option("--search", help="Text to look for.")
    @click.option(
        "--filter",
        "filters",
        multiple=True,
        metavar="NAME=VALUE",
        callback=parse_filters,
        help="A filter of the API; may be repeated.",
    )
    @click.option(
        "--limit", default=DEFAULT_LIMIT, show_default=True, type=click.IntRange(1), help="Maximum number of rows."
    )
    @click.option("--all", "is_all", is_flag=True, help="List all rows, whatever --limit says.")
    @json_option
    @click.pass_context
    def command(context: click.Context, /, filters: dict[str, str], limit: int, **options: Any) -> None:
        listing = client_of(context).list(path, search=options["search"], **filters)
        limit_or_none = None if options["is_all"] else limit
        rows = list(islice(listing, limit_or_none))
        if options["as_json"]:
            print_json(rows)
            return
        print_table(rows, columns)
        if (total := listing.total()) > len(rows):
            click.echo(f"{len(rows)} of {total}; --all lists all of them.", err=True)

    return click.command("list", help=f"List {what}.")(command)


def show_command(path: str, what: str) -> click.Command:
    """A command `show` of a record with its id."""

    @click.argument("identifier", metavar="ID", type=int)
    @json_option
    @click.pass_context
    def command(context: click.Context, /, identifier: int, *, as_json: bool) -> None:
        print_record(client_of(context).request("GET", f"{path}/{identifier}"), as_json=as_json)

    return click.command("show", help=f"Show {what}.")(command)


products = click.Group("products", help="Products of the catalogue.")
stock = click.Group("stock", help="Stock levels and movements.")
sales = click.Group("sales", help="Sales.")
orders = click.Group("orders", help="Purchase orders.")

products.add_command(
    list_command("/products", ["id", "sku", "name", "unit_price", "available", "category"], "products")
)
LEVEL_COLUMNS = ["sku", "name", "warehouse_code", "on_hand", "reserved", "available", "incoming"]
stock.add_command(list_command("/stock-levels", LEVEL_COLUMNS, "stock levels"))
SALE_COLUMNS = ["id", "number", "status", "total", "occurred_at", "reference", "seller"]
sales.add_command(list_command("/sales", SALE_COLUMNS, "sales, the latest first"))
sales.add_command(show_command("/sales", "a sale with its lines"))
ORDER_COLUMNS = ["id", "number", "status", "supplier", "total", "expected_at"]
orders.add_command(list_command("/purchase-orders", ORDER_COLUMNS, "purchase orders"))
orders.add_command(show_command("/purchase-orders", "a purchase order with its lines"))


@products.command("show")
@click.argument("sku")
@json_option
@click.pass_context
def show_product(context: click.Context, /, sku: str, *, as_json: bool) -> None:
    """Show a product with its stock."""
    print_record(client_of(context).products.get(f"by-sku/{quote(sku, safe='')}"), as_json=as_json)


@products.command("create")
@click.argument("sku")
@click.argument("name")
@click.option("--price", "unit_price", required=True, help="Unit price, such as 19.99.")
@click.option("--quantity", help="Opening stock in the default warehouse.")
@click.option("--category", help="Name of a category; created if it does not exist.")
@json_option
@click.pass_context
def create_product(context: click.Context, /, sku: str, name: str, *, as_json: bool, **optional: str | None) -> None:
    """Create a product."""
    body = {"sku": sku, "name": name, **given(optional)}
    print_record(client_of(context).request("POST", "/products", body=body), as_json=as_json)


@stock.command("move")
@click.argument("sku")
@click.argument("quantity")
@click.option(
    "--type", "movement_type", default="adjustment", show_default=True, help="purchase, damaged, adjustment, …"
)
@click.option("--warehouse", "warehouse_code", help="Code of the warehouse; default: the default warehouse.")
@click.option("--note", "notes", help="Free text.")
@json_option
@click.pass_context
def move(context: click.Context, /, sku: str, quantity: str, *, as_json: bool, **optional: str | None) -> None:
    """Post a stock movement. A negative quantity follows `--`: stock move SKU -- -3."""
    body = {"sku": sku, "quantity": quantity, **given(optional)}
    print_record(client_of(context).request("POST", "/stock-movements", body=body), as_json=as_json)


@sales.command("create")
@click.argument("sku")
@click.argument("quantity")
@click.option("--price", "unit_price", help="Unit price; default: the product's.")
@click.option("--reference", help="Your number of the sale, such as that of the receipt.")
@json_option
@click.pass_context
def create_sale(context: click.Context, /, sku: str, quantity: str, *, as_json: bool, **optional: str | None) -> None:
    """Sell a quantity of one product."""
    body = {"sku": sku, "quantity": quantity, **given(optional)}
    print_record(client_of(context).request("POST", "/sales", body=body), as_json=as_json)


@sales.command("void")
@click.argument("identifier", metavar="ID", type=int)
@click.option("--reason", help="Free text.")
@json_option
@click.pass_context
def void_sale(context: click.Context, /, identifier: int, reason: str | None, *, as_json: bool) -> None:
    """Void a sale: its goods go back into stock."""
    body = {"reason": reason} if reason else {}
    print_record(client_of(context).sales.action(identifier, "void", body), as_json=as_json)
