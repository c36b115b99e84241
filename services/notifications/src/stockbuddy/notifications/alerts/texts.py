"""Texts of alerts: in English, and the values from which clients make them in other languages."""

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
from stockbuddy.notifications.alert_text import AlertText
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


def low_stock(level: LevelCrossing, names: Mapping[str, str]) -> AlertText:
    """`names` by subject; a missing product name is replaced by the SKU, a missing warehouse name by the id."""
    content = Content(f"Low stock: {_product(level, names)}", _describe_level(level, names))
    return AlertText("low_stock", _level_values(level, names), content)


def out_of_stock(level: LevelCrossing, names: Mapping[str, str]) -> AlertText:
    content = Content(f"Out of stock: {_product(level, names)}", _describe_level(level, names))
    return AlertText("out_of_stock", _level_values(level, names), content)


def unusual_activity(event: ActivityUnusual, names: Mapping[str, str], actor: str | None) -> AlertText:
    document = f" ({_document(event.document)})" if event.document else ""
    typical = _number(event.typical_quantity)
    kind = _words(event.movement_type or "movement").capitalize()
    content = Content(
        f"Unusual movement: {_product(event, names)}",
        f"{kind} of {_number(event.quantity)} in {_warehouse(event, names)}"
        f" by {actor or 'an unknown user'}{document}: {event.ratio:g} times the usual {typical}.",
    )
    optional = {"actor": actor, "document": event.document, "movement_type": event.movement_type}
    values = {
        "product": _product(event, names),
        "warehouse": _warehouse(event, names),
        "quantity": _number(event.quantity),
        "typical_quantity": typical,
        "ratio": f"{event.ratio:g}",
        **{name: value for name, value in optional.items() if value is not None},
    }
    return AlertText("unusual_activity", values, content)


def import_finished(event: ImportFinished) -> AlertText:
    job = "Dry run of an import" if event.dry_run else "Import"
    if event.state == "failed":
        problem = {} if event.problem is None else {"problem": event.problem}
        content = Content(f"{job} failed", event.problem or "No row was imported.")
        return AlertText("dry_run_failed" if event.dry_run else "import_failed", problem, content)
    rows = f"{event.created} created, {event.updated} updated, {event.unchanged} unchanged, {event.failed} failed."
    counts = ("created", "updated", "unchanged", "failed")
    values = {name: str(getattr(event, name)) for name in counts}
    return AlertText(
        "dry_run_finished" if event.dry_run else "import_finished", values, Content(f"{job} finished", rows)
    )


def webhook_disabled(event: WebhookDisabled) -> AlertText:
    content = Content(
        f"Webhook to {event.host} disabled",
        f"{event.reason} It receives no events until an admin activates it again.",
    )
    return AlertText("webhook_disabled", {"host": event.host, "reason": event.reason}, content)


def webhook_failing(event: WebhookFailing) -> AlertText:
    content = Content(f"Webhook to {event.host} is failing", event.reason)
    return AlertText("webhook_failing", {"host": event.host, "reason": event.reason}, content)


def email_failed(event: EmailFailed | NotificationEmailFailed) -> AlertText:
    content = Content(
        "An e-mail was not sent", f"To {event.recipient}, after {event.attempts} attempts: {event.reason}"
    )
    values = {"recipient": event.recipient, "attempts": str(event.attempts), "reason": event.reason}
    return AlertText("email_failed", values, content)


def emails_delayed(event: EmailsDelayed | NotificationEmailsDelayed) -> AlertText:
    content = Content(
        "E-mails are not sent",
        f"The mail server accepts none since {event.waiting_since:%Y-%m-%d %H:%M} UTC: {event.reason}",
    )
    values = {"waiting_since": event.waiting_since.isoformat(), "reason": event.reason}
    return AlertText("emails_delayed", values, content)


def _level_values(level: LevelCrossing, names: Mapping[str, str]) -> dict[str, str]:
    return {
        "product": _product(level, names),
        "warehouse": _warehouse(level, names),
        "on_hand": _number(level.on_hand),
        "reserved": _number(level.reserved),
        "threshold": _number(level.threshold),
    }


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
