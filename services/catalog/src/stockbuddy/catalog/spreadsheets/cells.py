"""Columns of exports and imports, and the text of a spreadsheet's values."""

from datetime import date, datetime
from decimal import Decimal

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

IMPORT_COLUMNS = (*COLUMNS, "quantity")
"""The columns of an import; `quantity` is the opening stock of new products."""
REPORT_COLUMNS = ("row", "problem")
"""Additional columns of a file of failed rows; an import ignores them."""
COLUMN_ALIASES = {"price": "unit_price"}
MAX_CELLS_IN_ROW = 100


class LimitExceeded(ValueError):
    """A file exceeds a limit; the message names it."""


def limit_cells(cells: list[str]) -> list[str]:
    """The row without blank cells at its end: formatted cells may follow in every row. Raises LimitExceeded."""
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_CELLS_IN_ROW:
        raise LimitExceeded(f"A row has more than {MAX_CELLS_IN_ROW} cells.")
    return cells


def cell_text(value: object) -> str:
    """The text of a spreadsheet's value, as a CSV file would contain it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # repr is the shortest text that parses to the same float: 19.9, not 19.899999999999999.
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)
