"""A table as JSON, CSV (RFC 4180) or XLSX; amounts stay exact, and no text becomes a formula in a spreadsheet."""

import asyncio
import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from fastapi import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from pydantic import BaseModel

from stockbuddy.contracts.numbers import money_text, quantity_number
from stockbuddy.stock.insights.reports.table import Column, Table, Value

Format = Literal["json", "csv", "xlsx"]

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ShownColumn(BaseModel):
    name: str
    kind: str


class ShownReport(BaseModel):
    """A report as JSON. Rows and totals have a value per column; amounts of money are strings."""

    report: str
    parameters: dict[str, Any]
    columns: list[ShownColumn]
    rows: list[dict[str, Any]]
    totals: dict[str, Any]


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ShownReport,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""What a report's route answers, for the API document."""

LONGEST_CELL = 32_767
"""Of a spreadsheet, by its file format."""
# What a spreadsheet may take for the beginning of a formula (OWASP, CSV injection), and its full-width forms.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_FORMATS = {"money": "#,##0.00##", "quantity": "#,##0.###", "ratio": "0.00", "integer": "0"}


async def rendered(table: Table, wanted: Format) -> Response:
    if wanted == "json":
        return Response(as_json(table), media_type="application/json")
    if wanted == "csv":
        return _file(table, as_csv(table), "csv", "text/csv; charset=utf-8")
    # Zipping takes a while; others are served meanwhile.
    return _file(table, await asyncio.to_thread(as_xlsx, table), "xlsx", XLSX_TYPE)


def _file(table: Table, content: bytes, extension: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.{extension}"'}
    return Response(content, headers=headers, media_type=media_type)


def as_json(table: Table) -> bytes:
    document = {
        "report": table.name,
        "parameters": {name: _parameter(value) for name, value in table.parameters.items()},
        "columns": [{"name": column.name, "kind": column.kind} for column in table.columns],
        "rows": [
            {column.name: _json_value(column, value) for column, value in zip(table.columns, row, strict=True)}
            for row in table.rows
        ],
        "totals": {
            column.name: _json_value(column, table.totals[column.name])
            for column in table.columns
            if column.name in table.totals
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def as_csv(table: Table) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_csv_value(*cell) for cell in zip(table.columns, row, strict=True)] for row in table.rows)
    return text.getvalue().encode()


def as_xlsx(table: Table) -> bytes:
    """The rows on one sheet, the totals and what was asked on another."""
    book = Workbook(write_only=True)
    rows = book.create_sheet(table.name[:31])
    rows.freeze_panes = "A2"
    rows.append([_bold(rows, column.name) for column in table.columns])
    for row in table.rows:
        rows.append([_cell(rows, *cell) for cell in zip(table.columns, row, strict=True)])
    about = book.create_sheet("about")
    for name, value in table.parameters.items():
        about.append([_bold(about, name), neutral(str(_parameter(value)))])
    for column in table.columns:
        if column.name in table.totals:
            about.append([_bold(about, f"total {column.name}"), _cell(about, column, table.totals[column.name])])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def neutral(text: str) -> str:
    """The text as a spreadsheet shows it and never runs it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _parameter(value: Any) -> Any:
    return _moment(value) if isinstance(value, date) else value


def _json_value(column: Column, value: Value) -> Any:
    if isinstance(value, Decimal):
        return money_text(value) if column.kind == "money" else quantity_number(value)
    return _moment(value) if isinstance(value, date) else value


def _csv_value(column: Column, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return money_text(value) if column.kind == "money" else format(value.normalize(), "f")
    return neutral(_moment(value) if isinstance(value, date) else str(value))


def _moment(value: date) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _cell(sheet: Any, column: Column, value: Value) -> Any:
    """Numbers as numbers, moments as text: a spreadsheet knows no offsets."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, (Decimal, int)):
        cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type] # its stubs forget decimals, which it writes exactly
        cell.number_format = _FORMATS.get(column.kind, "General")
        return cell
    text = _moment(value) if isinstance(value, datetime) else value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", neutral(text))[:LONGEST_CELL])
    cell.data_type = "s"
    return cell


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell
