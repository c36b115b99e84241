"""Titles and bodies of alerts."""

from collections.abc import Mapping
from decimal import Decimal

from stockbuddy.contracts.auth import EmailFailed, EmailsDelayed
from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.notifications import (
    NotificationEmailFailed,
    NotificationEmailsDelayed,
    WebhookDisabled,
    WebhookFailing,
)
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import ActivityUnusual, LevelCrossing
from stockbuddy.notifications.email.content import Content

LevelEvent = LevelCrossing | ActivityUnusual
"""An event about a product in a warehouse."""


def product_subject(event: LevelEvent) -> str:
    return f"product/{event.product_id}"


def warehouse_subject(event: LevelEvent) -> str:
    return f"warehouse/{event.warehouse_id}"


def subjects(event: LevelEvent) -> list[str]:
    """The subjects whose names the texts use."""
    return [product_subject(event), warehouse_subject(event)]


def low_stock(level: LevelCrossing, names: Mapping[str, str]) -> Content:
    """`names` by subject; a missing product name is replaced by the SKU, a missing warehouse name by the id."""
    return Content(f"Low stock: {_product(level, names)}", _describe_level(level, names))


def out_of_stock(level: LevelCrossing, names: Mapping[str, str]) -> Content:
    return Content(f"Out of stock: {_product(level, names)}", _describe_level(level, names))


def unusual_activity(event: ActivityUnusual, names: Mapping[str, str], actor: str | None) -> Content:
    document = f" ({_document(event.document)})" if event.document else ""
    typical = _number(event.typical_quantity)
    kind = _words(event.movement_type or "movement").capitalize()
    return Content(
        f"Unusual movement: {_product(event, names)}",
        f"{kind} of {_number(event.quantity)} in {_warehouse(event, names)}"
        f" by {actor or 'an unknown user'}{document}: {event.ratio:g} times the usual {typical}.",
    )


def import_finished(event: ImportFinished) -> Content:
    job = "Dry run of an import" if event.dry_run else "Import"
    if event.state == "failed":
        return Content(f"{job} failed", event.problem or "No row was imported.")
    rows = f"{event.created} created, {event.updated} updated, {event.unchanged} unchanged, {event.failed} failed."
    return Content(f"{job} finished", rows)


def webhook_disabled(event: WebhookDisabled) -> Content:
    return Content(
        f"Webhook to {event.host} disabled",
        f"{event.reason} It receives no events until an admin activates it again.",
    )


def webhook_failing(event: WebhookFailing) -> Content:
    return Content(f"Webhook to {event.host} is failing", event.reason)


def email_failed(event: EmailFailed | NotificationEmailFailed) -> Content:
    return Content("An e-mail was not sent", f"To {event.recipient}, after {event.attempts} attempts: {event.reason}")


def emails_delayed(event: EmailsDelayed | NotificationEmailsDelayed) -> Content:
    return Content(
        "E-mails are not sent",
        f"The mail server accepts none since {event.waiting_since:%Y-%m-%d %H:%M} UTC: {event.reason}",
    )


def _describe_level(level: LevelCrossing, names: Mapping[str, str]) -> str:
    reserved = f", {_number(level.reserved)} of them reserved" if level.reserved else ""
    on_hand = f"{_number(level.on_hand)} left in {_warehouse(level, names)}{reserved}"
    return f"{on_hand}. The limit is {_number(level.threshold)}."


def _product(event: LevelEvent, names: Mapping[str, str]) -> str:
    return names.get(product_subject(event), event.sku)


def _warehouse(event: LevelEvent, names: Mapping[str, str]) -> str:
    return names.get(warehouse_subject(event), f"warehouse {event.warehouse_id}")


def _number(quantity: Decimal) -> str:
    return str(quantity_number(quantity))


def _document(document: str) -> str:
    """`stock transfer 7` of `stock_transfer/7`."""
    return _words(document.replace("/", " "))


def _words(name: str) -> str:
    return name.replace("_", " ")
