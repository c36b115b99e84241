"""What an update changes in a row, in the form of events: `{"name": {"from": …, "to": …}}`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from stockbuddy.contracts.numbers import quantity_text

Changes = dict[str, dict[str, Any]]


def set_fields(row: Any, fields: Mapping[str, Any]) -> Changes:
    """Set the fields. Returns those that differ from what the row had."""
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    changes = {name: {"from": _to_json(getattr(row, name)), "to": _to_json(value)} for name, value in changed.items()}
    for name, value in changed.items():
        setattr(row, name, value)
    return changes


def _to_json(value: Any) -> Any:
    return quantity_text(value) if isinstance(value, Decimal) else value
