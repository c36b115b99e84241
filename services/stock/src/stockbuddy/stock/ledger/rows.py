"""The rows that the ledger writes, as dataclasses whose fields are the columns of their tables.

Names, order and PostgreSQL types of the arrays for `unnest` are derived from the dataclass, so a column is declared
once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from stockbuddy.chassis.http.idempotency import IdempotencyKey, StoredResponse, stored_response_for

RowType = TypeVar("RowType")


class JsonText(str):
    """A text in JSON."""

    __slots__ = ()


_POSTGRES_TYPES = {
    int: "bigint",
    float: "float8",
    Decimal: "numeric",
    str: "text",
    bool: "boolean",
    bytes: "bytea",
    JsonText: "json",
    datetime: "timestamptz",
}


@dataclass(slots=True)
class LevelRow:
    """The updated columns of `level`, after its key. `average_cost` is not read: it is for the previous release."""

    product_id: int
    warehouse_id: int
    lot: int
    on_hand: Decimal
    reserved: Decimal
    version: int
    value: Decimal
    last_cost: Decimal | None
    average_cost: Decimal | None
    overdrawn: bool
    is_low: bool
    is_depleted: bool
    taken_count: int
    taken_mean: float
    taken_variance: float
    added_count: int
    added_mean: float
    added_variance: float


@dataclass(slots=True)
class MovementRow:
    """A row of `movement`. `quantity` and `value` are signed changes, `balance` is the level's quantity after it.
    `correction`: the part of `value` that is not of the goods moved. `cost_stated`: the document stated the unit cost
    of outgoing stock."""

    id: int
    product_id: int
    warehouse_id: int
    lot: int
    version: int
    movement_type: str
    quantity: Decimal
    before: Decimal
    balance: Decimal
    unit_cost: Decimal | None
    value: Decimal
    correction: Decimal
    average_cost: Decimal | None
    cost_stated: bool
    went_negative: bool
    reference_number: str | None
    notes: str | None
    document: str | None
    reverses_id: int | None
    performed_by: int | None
    occurred_at: datetime


@dataclass(slots=True)
class IdempotencyKeyRow:
    """A row of `idempotency_key`: a caller's key, the digest of its request, and the response with the headers that its
    repetitions have, too."""

    caller: str
    key: str
    fingerprint: bytes
    status: int
    body: str
    headers: JsonText

    def to_response(self, key: IdempotencyKey) -> StoredResponse:
        """Raises IdempotencyKeyReused if the request is a different one."""
        return stored_response_for(key, self.fingerprint, self.status, self.body, json.loads(self.headers))


class Columns(Generic[RowType]):
    """The columns of a table, derived from the fields of its row class."""

    def __init__(self, row_class: type[RowType]) -> None:
        hints = get_type_hints(row_class)
        self.types = {name: _POSTGRES_TYPES[(get_args(hint) or (hint,))[0]] for name, hint in hints.items()}
        self.names = ", ".join(self.types)
        self._values = attrgetter(*self.types)

    def arrays(self, rows: Sequence[RowType]) -> list[Any]:
        """One array per column. Numerics become array literals: asyncpg encodes a list of Decimals one by one, which
        takes eight times as long."""
        columns = zip(*map(self._values, rows), strict=True) if rows else ([] for _ in self.types)
        return [
            _numeric_literal(column) if kind == "numeric" else column
            for column, kind in zip(columns, self.types.values(), strict=True)
        ]

    def parameters(self, first: int) -> str:
        """The arguments of `unnest` for `arrays`, numbered from `first`."""
        return ", ".join(_parameter(number, kind) for number, kind in enumerate(self.types.values(), first))


def _parameter(number: int, kind: str) -> str:
    return f"CAST(${number}::text AS numeric[])" if kind == "numeric" else f"${number}::{kind}[]"


def _numeric_literal(numbers: Sequence[Decimal | None]) -> str:
    return "{" + ",".join(["NULL" if number is None else str(number) for number in numbers]) + "}"


LEVELS = Columns(LevelRow)
MOVEMENTS = Columns(MovementRow)
IDEMPOTENCY_KEYS = Columns(IdempotencyKeyRow)
