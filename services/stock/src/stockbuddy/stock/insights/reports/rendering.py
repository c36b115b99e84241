"""Renders a table as JSON, CSV (RFC 4180) or XLSX. Amounts are exact, and texts are escaped against formulas."""

import asyncio
import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from fastapi import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from pydantic import BaseModel

from stockbuddy.chassis.http.jobs.deferral import ACCEPTED
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.spreadsheets import escape_formula
from stockbuddy.contracts.numbers import money_text, quantity_number
from stockbuddy.stock.insights.reports.table import Column, Table, Value

ReportFormat = Literal["json", "csv", "xlsx"]

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReportColumn(BaseModel):
    name: str
    kind: str


class ReportListResponse(BaseModel):
    """The names of the reports, each at `GET /reports/{name}`."""

    items: list[str]


class ReportResponse(BaseModel):
    """A report as JSON. Rows and totals are objects with a value per column; amounts of money are strings."""

    report: str
    parameters: dict[str, Any]
    columns: list[ReportColumn]
    rows: list[dict[str, Any]]
    totals: dict[str, Any]


RESPONSES: dict[int | str, dict[str, Any]] = {
    **ACCEPTED,
    200: {
        "model": ReportResponse,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}
"""The responses of a report's route, for OpenAPI."""

MAX_CELL_LENGTH = 32_767
"""Limit of the XLSX format."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Texts stored before requests with such characters were rejected."""
_FORMATS = {"money": "#,##0.00##", "quantity": "#,##0.###", "ratio": "0.00", "integer": "0"}


async def render(table: Table, report_format: ReportFormat, caller: Principal) -> Response:
    """The columns that the caller may see."""
    table = table.visible_to(caller)
    if report_format == "json":
        return Response(to_json(table), media_type="application/json")
    if report_format == "csv":
        return _file(table, to_csv(table), "csv", "text/csv; charset=utf-8")
    # Compression takes up to seconds; a thread keeps it from blocking the event loop.
    return _file(table, await asyncio.to_thread(to_xlsx, table), "xlsx", XLSX_TYPE)


def _file(table: Table, content: bytes, extension: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.{extension}"'}
    return Response(content, headers=headers, media_type=media_type)


def to_json(table: Table) -> bytes:
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


def to_csv(table: Table) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_csv_value(*cell) for cell in zip(table.columns, row, strict=True)] for row in table.rows)
    return text.getvalue().encode()


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
        about.append([_bold(about, name), _cell_text(str(_parameter(value)))])
    for column in table.columns:
        if column.name in table.totals:
            about.append([_bold(about, f"total {column.name}"), _cell(about, column, table.totals[column.name])])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _parameter(value: Any) -> Any:
    return _format_time(value) if isinstance(value, date) else value


def _json_value(column: Column, value: Value) -> Any:
    if isinstance(value, Decimal):
        return money_text(value) if column.kind == "money" else quantity_number(value)
    return _format_time(value) if isinstance(value, date) else value


def _csv_value(column: Column, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return money_text(value) if column.kind == "money" else format(value.normalize(), "f")
    return escape_formula(_format_time(value) if isinstance(value, date) else str(value))


def _format_time(value: date) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _cell(sheet: Any, column: Column, value: Value) -> Any:
    """Numbers as numbers, times as text: XLSX has no offsets."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, (Decimal, int)):
        cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type] # the stubs omit Decimal, which is written exactly
        cell.number_format = _FORMATS.get(column.kind, "General")
        return cell
    text = _format_time(value) if isinstance(value, datetime) else value
    cell = WriteOnlyCell(sheet, _cell_text(text))
    cell.data_type = "s"
    return cell


def _cell_text(text: str) -> str:
    return _NOT_IN_XML.sub("", escape_formula(text))[:MAX_CELL_LENGTH]


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell
