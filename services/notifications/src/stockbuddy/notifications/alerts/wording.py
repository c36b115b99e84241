"""How alerts read."""

from collections.abc import Mapping
from decimal import Decimal

from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.notifications import WebhookDisabled
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import LevelCrossing
from stockbuddy.notifications.mail.content import Content


def product_subject(level: LevelCrossing) -> str:
    return f"product/{level.product_id}"


def warehouse_subject(level: LevelCrossing) -> str:
    return f"warehouse/{level.warehouse_id}"


def low_stock(level: LevelCrossing, names: Mapping[str, str]) -> Content:
    """`names` are those of the product and the warehouse, by subject, as far as they are known."""
    return Content(f"Low stock: {_product(level, names)}", _what_is_left(level, names))


def out_of_stock(level: LevelCrossing, names: Mapping[str, str]) -> Content:
    return Content(f"Out of stock: {_product(level, names)}", _what_is_left(level, names))


def import_finished(event: ImportFinished) -> Content:
    tried = "Trial import" if event.dry_run else "Import"
    if event.state == "failed":
        return Content(f"{tried} failed", event.problem or "Nothing of it was taken.")
    rows = f"{event.created} created, {event.updated} updated, {event.unchanged} unchanged, {event.failed} refused."
    return Content(f"{tried} finished", rows)


def webhook_disabled(event: WebhookDisabled) -> Content:
    return Content(
        f"Webhook to {event.host} switched off",
        f"{event.reason} It gets no more events until an admin switches it on again.",
    )


def _what_is_left(level: LevelCrossing, names: Mapping[str, str]) -> str:
    reserved = f", {_number(level.reserved)} of them reserved" if level.reserved else ""
    left = f"{_number(level.on_hand)} left in {_warehouse(level, names)}{reserved}"
    return f"{left}. The limit is {_number(level.threshold)}."


def _product(level: LevelCrossing, names: Mapping[str, str]) -> str:
    return names.get(product_subject(level), level.sku)


def _warehouse(level: LevelCrossing, names: Mapping[str, str]) -> str:
    return names.get(warehouse_subject(level), f"warehouse {level.warehouse_id}")


def _number(quantity: Decimal) -> str:
    return str(quantity_number(quantity))
