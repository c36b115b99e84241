"""Writes tables as CSV, in chunks while rows arrive, or as XLSX, through a temporary file, because a zip archive can be
read only when it is complete."""

import asyncio
import csv
import io
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from stockbuddy.catalog.spreadsheets.reader import Format
from stockbuddy.chassis.spreadsheets import escape_formula

CHUNK_BYTES = 64 * 1024
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
EXACT_DIGITS = 15
"""Significant digits of a number that a spreadsheet's floats preserve; longer numbers are written as text."""

Cell = str | Decimal | bool | None
Rows = AsyncIterator[Sequence[Sequence[Cell]]]
"""The rows of a table, in batches."""


def write_table(file_format: Format, columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    return _write_csv(columns, rows) if file_format == "csv" else _write_xlsx(columns, rows)


async def _write_csv(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    target = io.StringIO()
    # Without the byte order mark, Excel reads UTF-8 as the system's code page.
    target.write("\ufeff")
    writer = csv.writer(target)
    writer.writerow(columns)
    async for batch in rows:
        writer.writerows([[escape_formula(_text(cell)) for cell in row] for row in batch])
        yield target.getvalue().encode()
        target.seek(0)
        target.truncate()
    if target.tell():
        yield target.getvalue().encode()


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


async def _write_xlsx(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("products")
    sheet.append(list(columns))
    async for batch in rows:
        await asyncio.to_thread(_append, sheet, batch)
    with tempfile.TemporaryFile() as target:
        await asyncio.to_thread(workbook.save, target)
        target.seek(0)
        while chunk := await asyncio.to_thread(target.read, CHUNK_BYTES):
            yield chunk


def _append(sheet: WriteOnlyWorksheet, rows: Sequence[Sequence[Cell]]) -> None:
    for row in rows:
        sheet.append([_xlsx_cell(sheet, cell) for cell in row])


def _xlsx_cell(sheet: WriteOnlyWorksheet, value: Cell) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, Decimal) and len(value.as_tuple().digits) <= EXACT_DIGITS:
        return WriteOnlyCell(sheet, value)  # type: ignore[arg-type] # openpyxl's stubs lack Decimal
    # XML can't contain these; texts of earlier releases may.
    cell = WriteOnlyCell(sheet, _NOT_IN_XML.sub("\ufffd", escape_formula(_text(value))))
    # By default openpyxl writes a text that begins with "=" as a formula.
    cell.data_type = "s"
    return cell
