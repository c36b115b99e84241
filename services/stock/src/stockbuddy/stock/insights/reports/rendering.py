"""Renders a table as JSON, CSV (RFC 4180) or XLSX. Amounts are exact, and texts are escaped against formulas."""

import asyncio
import csv
import importlib
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.jobs.deferral import ACCEPTED
from stockbuddy.chassis.spreadsheets import escape_csv_text
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
_WORKBOOK = "stockbuddy.stock.insights.reports.workbook"


async def render(table: Table, report_format: ReportFormat, permissions: frozenset[Permission]) -> Response:
    """The columns that a caller with these permissions may see."""
    table = table.visible_with(permissions)
    if report_format == "json":
        return Response(to_json(table), media_type="application/json")
    if report_format == "csv":
        return _file(table, to_csv(table), "csv", "text/csv; charset=utf-8")
    # Compression takes up to seconds; a thread keeps it from blocking the event loop.
    return _file(table, await asyncio.to_thread(_to_xlsx, table), "xlsx", XLSX_TYPE)


def _file(table: Table, content: bytes, extension: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.{extension}"'}
    return Response(content, headers=headers, media_type=media_type)


def to_json(table: Table) -> bytes:
    document = {
        "report": table.name,
        "parameters": {name: parameter(value) for name, value in table.parameters.items()},
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


def _to_xlsx(table: Table) -> bytes:
    # openpyxl imports numpy, which most processes do not need.
    content: bytes = importlib.import_module(_WORKBOOK).to_xlsx(table)
    return content


def parameter(value: Any) -> Any:
    return format_time(value) if isinstance(value, date) else value


def _json_value(column: Column, value: Value) -> Any:
    if isinstance(value, Decimal):
        return money_text(value) if column.kind == "money" else quantity_number(value)
    return format_time(value) if isinstance(value, date) else value


def _csv_value(column: Column, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return money_text(value) if column.kind == "money" else format(value.normalize(), "f")
    return escape_csv_text(format_time(value) if isinstance(value, date) else str(value))


def format_time(value: date) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
