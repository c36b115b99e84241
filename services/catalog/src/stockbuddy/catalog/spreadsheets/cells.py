"""How values stand in the cells of a file, so that no spreadsheet takes a text for a formula.

A text that begins like a formula is written behind an apostrophe, and the apostrophe is taken off when it is read
again: nothing is changed on the way out and in (OWASP, "CSV Injection").
"""

from datetime import date, datetime
from decimal import Decimal

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel takes them, too
GUARD = "'"

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
"""What an export has, and an import may have. Barcodes stand in one cell, with spaces between them."""

IMPORT_COLUMNS = (*COLUMNS, "quantity")
"""`quantity` opens the stock of new products."""
REPORT_COLUMNS = ("row", "problem")
"""What a file of failed rows has more; ignored when it is imported again."""
COLUMN_ALIASES = {"price": "unit_price"}


def guarded(text: str) -> str:
    return GUARD + text if text.startswith((*FORMULA_STARTS, GUARD)) else text


def unguarded(text: str) -> str:
    return text[1:] if text.startswith(GUARD) and text[1:].startswith((*FORMULA_STARTS, GUARD)) else text


def cell_text(value: object) -> str:
    """A spreadsheet's value as a CSV file would spell it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # repr is the shortest text that reads back the same: 19.9, not 19.899999999999999.
        spelt = format(Decimal(repr(value)), "f")
        return spelt.rstrip("0").rstrip(".") if "." in spelt else spelt
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)
