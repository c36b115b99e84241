"""Writes tables as XLSX, through a temporary file, because a zip archive can be read only when it is complete. Imported
with the first such file."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from stockbuddy.catalog.spreadsheets.writer import Cell, Rows, to_text
from stockbuddy.chassis.spreadsheets import escape_formula

CHUNK_BYTES = 64 * 1024
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
EXACT_DIGITS = 15
"""Significant digits of a number that a spreadsheet's floats preserve; longer numbers are written as text."""


async def write_xlsx(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
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
    cell = WriteOnlyCell(sheet, _NOT_IN_XML.sub("\ufffd", escape_formula(to_text(value))))
    # By default openpyxl writes a text that begins with "=" as a formula.
    cell.data_type = "s"
    return cell
