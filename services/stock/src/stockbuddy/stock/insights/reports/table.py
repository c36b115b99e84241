"""The common form of all reports: typed columns, rows, and totals of the columns that can be summed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import compress
from typing import Any, Literal

from stockbuddy.chassis.access.permissions import Permission

ColumnKind = Literal["text", "integer", "quantity", "money", "ratio", "date", "moment"]
Value = str | int | Decimal | date | datetime | None

_MONEY_QUANTUM = Decimal("0.0001")
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Column:
    """`permission`: without it the column is left out."""

    name: str
    kind: ColumnKind = "text"
    is_summed: bool = False
    permission: Permission | None = None


def money(name: str) -> Column:
    return Column(name, "money", is_summed=True)


def cost(name: str, kind: ColumnKind = "money", *, is_summed: bool = True) -> Column:
    """A column of costs, or of what can be computed from them."""
    return Column(name, kind, is_summed, Permission.COST_READ)


def quantity(name: str) -> Column:
    return Column(name, "quantity", is_summed=True)


@dataclass(frozen=True, slots=True)
class Table:
    """`parameters`: the request's, so that a saved file states what it contains."""

    name: str
    parameters: Mapping[str, Any]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    totals: Mapping[str, Decimal | None] = field(default_factory=dict)

    def visible_with(self, permissions: frozenset[Permission]) -> Table:
        """Without the columns that other permissions are required for; the rows are no longer in their order."""
        shown = [column.permission is None or column.permission in permissions for column in self.columns]
        columns = list(compress(self.columns, shown))
        names = {column.name for column in columns}
        rows = sorted((list(compress(row, shown)) for row in self.rows), key=lambda row: (row[0] is None, row[0] or ""))
        totals = {name: total for name, total in self.totals.items() if name in names}
        return self if all(shown) else replace(self, columns=columns, rows=rows, totals=totals)


def build_table(
    name: str, parameters: Mapping[str, Any], columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]
) -> Table:
    """A table of the rows' values by column, with totals, and without parameters that are None. Money is rounded after
    it was summed."""
    values = [[row[column.name] for column in columns] for row in rows]
    totals = {
        column.name: sum((row[index] for row in values if row[index] is not None), Decimal(0))
        for index, column in enumerate(columns)
        if column.is_summed
    }
    totals = {column.name: _round(column, totals[column.name]) for column in columns if column.name in totals}
    values = [[_round(column, value) for column, value in zip(columns, row, strict=True)] for row in values]
    used = {parameter: value for parameter, value in parameters.items() if value is not None}
    return Table(name, used, columns, values, totals)


def _round(column: Column, value: Any) -> Any:
    if column.kind != "money" or value is None:
        return value
    return Decimal(value).quantize(_MONEY_QUANTUM, ROUND_HALF_UP, _EXACT)
