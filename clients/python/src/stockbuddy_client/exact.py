"""JSON with exact numbers: money and quantities are `Decimal`, never `float`."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from stockbuddy_client.exact_fields import MONEY, QUANTITIES


class Record(dict[str, Any]):
    """A JSON object of a response. `etag` is its version for conditional writes (`etag_of`)."""

    __slots__ = ("etag", "replayed", "request_id")

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.etag: str | None = None
        self.request_id: str | None = None
        self.replayed = False


def etag_of(record: object) -> str | None:
    """The entity tag of an object that `get`, `create` or `update` returned; None for an item of a list."""
    return record.etag if isinstance(record, Record) else None


def decode(content: bytes) -> Any:
    """The JSON value, with money and quantities as `Decimal`. Raises ValueError."""
    return json.loads(content, parse_float=Decimal, object_hook=_to_record)


def encode(value: Any) -> bytes:
    """Equal values give equal bytes. A `Decimal` becomes a string, a time must have an offset."""
    return json.dumps(value, default=_encode_value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _to_record(fields: dict[str, Any]) -> Record:
    for name in fields.keys() & MONEY:
        if isinstance(fields[name], str):
            fields[name] = Decimal(fields[name])
    for name in fields.keys() & QUANTITIES:
        if type(fields[name]) is int:
            fields[name] = Decimal(fields[name])
    return Record(fields)


def _encode_value(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def agrees(current: Any, wanted: Any) -> bool:
    """Whether `current` has every value of `wanted`; `"5"` and `5.00` are the same number."""
    if isinstance(wanted, dict):
        return isinstance(current, dict) and all(n in current and agrees(current[n], v) for n, v in wanted.items())
    if isinstance(wanted, list | tuple):
        return isinstance(current, list) and len(current) == len(wanted) and all(map(agrees, current, wanted))
    if isinstance(current, Decimal) and isinstance(wanted, str | int | float) and not isinstance(wanted, bool):
        try:
            return current == Decimal(str(wanted))
        except ArithmeticError:
            return False
    return bool(current == wanted)
