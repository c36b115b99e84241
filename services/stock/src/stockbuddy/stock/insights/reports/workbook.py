"""Writes a table as an XLSX file. Imported with the first such file."""

import io
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from stockbuddy.chassis.spreadsheets import escape_formula
from stockbuddy.stock.insights.reports.rendering import format_time, parameter
from stockbuddy.stock.insights.reports.table import Column, Table, Value

MAX_CELL_LENGTH = 32_767
"""Limit of the XLSX format."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Texts stored before requests with such characters were rejected."""
_FORMATS = {"money": "#,##0.00##", "quantity": "#,##0.###", "ratio": "0.00", "integer": "0"}


def to_xlsx(table: Table) -> bytes:
    """One sheet with the rows, a second one with parameters and totals."""
    book = Workbook(write_only=True)
    rows = book.create_sheet(table.name[:31])
    rows.freeze_panes = "A2"
    rows.append([_bold(rows, column.name) for column in table.columns])
    for row in table.rows:
        rows.append([_cell(rows, *cell) for cell in zip(table.columns, row, strict=True)])
    about = book.create_sheet("about")
    for name, value in table.parameters.items():
        about.append([_bold(about, name), _cell_text(str(parameter(value)))])
    for column in table.columns:
        if column.name in table.totals:
            about.append([_bold(about, f"total {column.name}"), _cell(about, column, table.totals[column.name])])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(sheet: Any, column: Column, value: Value) -> Any:
    """Numbers as numbers, times as text: XLSX has no offsets."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, (Decimal, int)):
        cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type] # the stubs omit Decimal, which is written exactly
        cell.number_format = _FORMATS.get(column.kind, "General")
        return cell
    text = format_time(value) if isinstance(value, datetime) else value
    cell = WriteOnlyCell(sheet, _cell_text(text))
    cell.data_type = "s"
    return cell


def _cell_text(text: str) -> str:
    return _NOT_IN_XML.sub("", escape_formula(text))[:MAX_CELL_LENGTH]


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell
