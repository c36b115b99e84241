"""Reads tables: CSV in this process, XLSX in one of its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Literal

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.spreadsheets import csv_file
from stockbuddy.catalog.spreadsheets.workbook_process import CPU_SECONDS, HEADER_CPU_SECONDS, RawRow, parse_workbook

Format = Literal["csv", "xlsx"]
Table = Callable[[], Iterator[RawRow]]
"""Starts reading the rows from the first one. The iterator blocks: use it in a thread."""

MAX_ROWS = 500_000
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def detect_format(content: bytes) -> Format:
    return "xlsx" if content.startswith(b"PK\x03\x04") else "csv"


@asynccontextmanager
async def open_table(content: bytes, *, max_rows: int | None = None) -> AsyncIterator[Table]:
    """The rows that are not blank, at most `max_rows`. Raises UnreadableFile; the iterator, too, where a file is
    damaged."""
    if content.startswith(_OLD_EXCEL):
        raise UnreadableFile("The file has the format of Excel 97 (.xls); save it as .xlsx or CSV UTF-8.")
    if detect_format(content) == "csv":
        yield lambda: _limited(((number, cells, {}) for number, cells in csv_file.read_rows(content)), max_rows)
        return
    limit = MAX_ROWS + 2 if max_rows is None else max_rows
    cpu_seconds = CPU_SECONDS if max_rows is None else HEADER_CPU_SECONDS
    async with parse_workbook(content, cpu_seconds=cpu_seconds, max_rows=limit) as read:
        yield lambda: _limited(read(), max_rows)


def _limited(rows: Iterator[RawRow], max_rows: int | None) -> Iterator[RawRow]:
    for count, row in enumerate(rows, start=1):
        if max_rows is not None and count > max_rows:
            return
        if count > MAX_ROWS + 1:
            raise UnreadableFile(f"The file has more than {MAX_ROWS} rows; split it.")
        yield row
