"""Reads tables of products: CSV in this process, XLSX in one of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.spreadsheets import csv_file
from stockbuddy.catalog.spreadsheets.cells import COLUMN_ALIASES, IMPORT_COLUMNS, REPORT_COLUMNS
from stockbuddy.catalog.spreadsheets.workbook_process import CPU_SECONDS, HEADER_CPU_SECONDS, RawRow, parse_workbook
from stockbuddy.chassis.spreadsheets import unescape_formula

Format = Literal["csv", "xlsx"]

MAX_ROWS = 500_000
MAX_NAMED_COLUMNS_LENGTH = 200

Row = tuple[int, list[str]]
"""The row's number in the file (the first line is 1) and its cells, one per known column."""


@dataclass(frozen=True, slots=True)
class Header:
    """The known columns in the order of the file; `positions` are their indexes in a row."""

    columns: tuple[str, ...]
    positions: tuple[int, ...]


def detect_format(content: bytes) -> Format:
    return "xlsx" if content.startswith(b"PK\x03\x04") else "csv"


async def read_columns(content: bytes) -> tuple[str, ...]:
    """The known columns of the file. Raises UnreadableFile if it is not a table of products."""
    async with _open_rows(content, cpu_seconds=HEADER_CPU_SECONDS, max_rows=1) as rows:
        return (await asyncio.to_thread(_read_header, rows)).columns


@asynccontextmanager
async def open_table(content: bytes) -> AsyncIterator[Iterator[Row]]:
    """The rows after the header, without blank ones. Raises UnreadableFile; the iterator, too, where a file is damaged.
    It blocks: use it in a thread."""
    async with _open_rows(content, cpu_seconds=CPU_SECONDS, max_rows=MAX_ROWS + 2) as rows:
        yield _known_cells(rows)


@asynccontextmanager
async def _open_rows(content: bytes, *, cpu_seconds: int, max_rows: int) -> AsyncIterator[Iterator[RawRow]]:
    if detect_format(content) == "csv":
        yield csv_file.read_rows(content)
    else:
        async with parse_workbook(content, cpu_seconds=cpu_seconds, max_rows=max_rows) as rows:
            yield rows


def _read_header(rows: Iterator[RawRow]) -> Header:
    first_row = next(rows, None)
    if first_row is None:
        raise UnreadableFile("The file is empty.")
    names = [_column_name(cell) for cell in first_row[1]]
    unknown = [name for name in names if name not in (*IMPORT_COLUMNS, *REPORT_COLUMNS)]
    if unknown:
        listed = ", ".join(unknown)[:MAX_NAMED_COLUMNS_LENGTH]
        raise UnreadableFile(f"Unknown columns: {listed}. Known columns: {', '.join(IMPORT_COLUMNS)}.")
    if "sku" not in names:
        raise UnreadableFile("The first row has no column sku.")
    if len(set(names)) < len(names):
        raise UnreadableFile("The first row contains a column twice.")
    known = [(name, position) for position, name in enumerate(names) if name in IMPORT_COLUMNS]
    return Header(tuple(name for name, _ in known), tuple(position for _, position in known))


def _column_name(cell: str) -> str:
    name = cell.strip().lower().replace(" ", "_")
    return COLUMN_ALIASES.get(name, name)


def _known_cells(rows: Iterator[RawRow]) -> Iterator[Row]:
    header, count = _read_header(rows), 0
    for number, cells in rows:
        known = [unescape_formula(cells[i]).strip() if i < len(cells) else "" for i in header.positions]
        if any(known):
            count += 1
            if count > MAX_ROWS:
                raise UnreadableFile(f"The file has more than {MAX_ROWS} rows; split it.")
            yield number, known
