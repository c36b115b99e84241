"""Writes tables as CSV, in chunks while rows arrive, or as XLSX."""

import csv
import importlib
import io
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from stockbuddy.catalog.spreadsheets.reader import Format
from stockbuddy.chassis.spreadsheets import escape_csv_text

_XLSX_WRITER = "stockbuddy.catalog.spreadsheets.xlsx_writer"

Cell = str | Decimal | bool | None
Rows = AsyncIterator[Sequence[Sequence[Cell]]]
"""The rows of a table, in batches."""


def write_table(file_format: Format, columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    if file_format == "csv":
        return _write_csv(columns, rows)
    # openpyxl imports numpy, which most processes do not need.
    written: AsyncIterator[bytes] = importlib.import_module(_XLSX_WRITER).write_xlsx(columns, rows)
    return written


async def _write_csv(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    target = io.StringIO()
    # Without the byte order mark, Excel reads UTF-8 as the system's code page.
    target.write("\ufeff")
    writer = csv.writer(target)
    writer.writerow(columns)
    async for batch in rows:
        writer.writerows([[escape_csv_text(to_text(cell)) for cell in row] for row in batch])
        yield target.getvalue().encode()
        target.seek(0)
        target.truncate()
    if target.tell():
        yield target.getvalue().encode()


def to_text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)
