"""Columns of exports and imports, and the text of a spreadsheet's cells, as the spreadsheet displays them."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

COLUMNS = (
    "sku",
    "name",
    "description",
    "category",
    "supplier",
    "unit_price",
    "cost_price",
    "unit_of_measure",
    "barcodes",
    "low_stock_threshold",
    "is_active",
)
"""The columns of an export. Barcodes share one cell, separated by spaces."""

COST_COLUMNS = frozenset({"cost_price"})
"""Those that require the permission to see costs."""

IMPORT_COLUMNS = (*COLUMNS, "quantity", "external_id")
"""The columns of an import. `quantity` is the opening stock of a new product; `external_id` is its id in another shop
system, such as `prestashop:17`."""
REPORT_COLUMNS = ("row", "problem")
"""Additional columns of a file of failed rows; an import ignores them."""
MAX_CELLS_IN_ROW = 100

CellKind = Literal["date", "error"]
"""What a cell contains that is no value of a product: a date, or the error of a formula."""
GENERAL = "General"
SIGNIFICANT_DIGITS = 15
"""Of a spreadsheet's floats; further digits are noise of the arithmetic, such as 0.30000000000000004."""

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_PLAIN_FORMAT = re.compile(r"[#,?]*([0,?]*)(?:\.([0#?]*))?")


class LimitExceeded(ValueError):
    """A file exceeds a limit; the message names it."""


def limit_cells(cells: list[str]) -> list[str]:
    """The row without blank cells at its end: formatted cells may follow in every row. Raises LimitExceeded."""
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_CELLS_IN_ROW:
        raise LimitExceeded(f"A row has more than {MAX_CELLS_IN_ROW} cells.")
    return cells


def cell_kind(value: object, data_type: str) -> CellKind | None:
    """`data_type`: openpyxl's code of the cell's type."""
    if isinstance(value, (date, time, timedelta)):
        return "date"
    return "error" if data_type == "e" else None


def cell_text(value: object, number_format: str = GENERAL) -> str:
    """The text of a spreadsheet's value as it is displayed: with the leading zeros and places of its format, without
    currency symbols and thousands separators."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number_text(value, number_format)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def _number_text(value: float, number_format: str) -> str:
    """Only formats of digits are applied; a percentage, for example, stays a percentage: 0.5 → 50%."""
    pattern = "".join(c for c in _LITERAL.sub("", number_format).partition(";")[0] if c in "0#?.,%E/@")
    if pattern.endswith("%"):
        return f"{_plain_text(value * 100)}%"
    match = _PLAIN_FORMAT.fullmatch(pattern)
    if match is None or not pattern or pattern.partition(".")[0].endswith(","):
        return _plain_text(value)
    fraction = match[2] or ""
    try:
        number = Decimal(repr(value)).quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    except InvalidOperation:
        return _plain_text(value)
    whole, _, places = f"{abs(number):f}".partition(".")
    whole = whole.zfill(match[1].count("0"))
    required = fraction.count("0")
    places = places[:required] + places[required:].rstrip("0")
    return ("-" if number < 0 else "") + (f"{whole}.{places}" if places else whole)


def _plain_text(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
