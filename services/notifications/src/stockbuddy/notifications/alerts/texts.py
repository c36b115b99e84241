"""How alerts read."""

from collections.abc import Mapping
from decimal import Decimal

from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.notifications import WebhookDisabled
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import ActivityUnusual, LevelCrossing
from stockbuddy.notifications.email.content import Content

Place = LevelCrossing | ActivityUnusual
"""What tells of a product in a warehouse."""


def product_subject(place: Place) -> str:
    return f"product/{place.product_id}"


def warehouse_subject(place: Place) -> str:
    return f"warehouse/{place.warehouse_id}"


def low_stock(level: LevelCrossing, names: Mapping[str, str]) -> Content:
    """`names` are those of the product and the warehouse, by subject, as far as they are known."""
    return Content(f"Low stock: {_product(level, names)}", _what_is_left(level, names))


def out_of_stock(level: LevelCrossing, names: Mapping[str, str]) -> Content:
    return Content(f"Out of stock: {_product(level, names)}", _what_is_left(level, names))


def unusual_activity(event: ActivityUnusual, names: Mapping[str, str], actor: str | None) -> Content:
    document = f" ({event.document})" if event.document else ""
    return Content(
        f"Unusual movement: {_product(event, names)}",
        f"{event.movement_type or 'movement'} of {_number(event.quantity)} in {_warehouse(event, names)}"
        f" by {actor or 'nobody known'}{document}: {event.times:g} times the usual {_number(event.usual)}.",
    )


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


def _product(place: Place, names: Mapping[str, str]) -> str:
    return names.get(product_subject(place), place.sku)


def _warehouse(place: Place, names: Mapping[str, str]) -> str:
    return names.get(warehouse_subject(place), f"warehouse {place.warehouse_id}")


def _number(quantity: Decimal) -> str:
    return str(quantity_number(quantity))
