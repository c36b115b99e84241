"""Responses with a spreadsheet, streamed while its rows are read."""

from collections.abc import Sequence
from typing import Any

from fastapi.responses import StreamingResponse

from stockbuddy.catalog.spreadsheets.reader import Format
from stockbuddy.catalog.spreadsheets.writer import Rows, write_table

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SPREADSHEET_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            CONTENT_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}
"""For a route's `responses`."""


def spreadsheet_response(file_format: Format, columns: Sequence[str], rows: Rows, *, name: str) -> StreamingResponse:
    """`name` is the file's name without its extension."""
    return StreamingResponse(
        write_table(file_format, columns, rows),
        media_type=CONTENT_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{file_format}"',
            "Cache-Control": "private, no-store",
        },
    )
