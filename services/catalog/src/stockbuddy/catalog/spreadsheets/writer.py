"""Writes tables as CSV (in pieces, as they come) or XLSX (through a file, since its directory stands at the end)."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from stockbuddy.catalog.sheets.cells import guarded
from stockbuddy.catalog.sheets.reading import Format

PIECE_BYTES = 64 * 1024
EXACT_DIGITS = 15
"""So many digits of a number survive a spreadsheet."""

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Cell = str | Decimal | bool | None
Rows = AsyncIterator[Sequence[Sequence[Cell]]]
"""The rows of a table, some at a time."""


def written(table_format: Format, columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    return _csv(columns, rows) if table_format == "csv" else _xlsx(columns, rows)


async def _csv(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(columns)
    async for some in rows:
        writer.writerows([[guarded(_text(cell)) for cell in row] for row in some])
        yield target.getvalue().encode()
        target.seek(0)
        target.truncate()
    if target.tell():
        yield target.getvalue().encode()


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


async def _xlsx(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("products")
    sheet.append(list(columns))
    async for some in rows:
        await asyncio.to_thread(_append, sheet, some)
    with tempfile.TemporaryFile() as target:
        await asyncio.to_thread(workbook.save, target)
        target.seek(0)
        while piece := await asyncio.to_thread(target.read, PIECE_BYTES):
            yield piece


def _append(sheet: WriteOnlyWorksheet, rows: Sequence[Sequence[Cell]]) -> None:
    for row in rows:
        sheet.append([_xlsx_cell(sheet, cell) for cell in row])


def _xlsx_cell(sheet: WriteOnlyWorksheet, value: Cell) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, Decimal) and len(value.as_tuple().digits) <= EXACT_DIGITS:
        return WriteOnlyCell(sheet, value)  # type: ignore[arg-type] # its stubs know no Decimal
    cell = WriteOnlyCell(sheet, guarded(_text(value)))
    # Otherwise the library takes a text that begins with "=" for a formula.
    cell.data_type = "s"
    return cell
