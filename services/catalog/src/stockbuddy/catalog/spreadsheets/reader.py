"""Reads the rows of a CSV or XLSX file one by one, so that memory does not grow with their number.

Formulas are not evaluated: a cell has the value that the spreadsheet stored with the formula.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from openpyxl import load_workbook

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.spreadsheets.cells import COLUMN_ALIASES, IMPORT_COLUMNS, REPORT_COLUMNS, cell_text
from stockbuddy.chassis.spreadsheets import unescape_formula

Format = Literal["csv", "xlsx"]

MAX_UNPACKED_BYTES = 128 * 1024 * 1024
"""Protects against zip bombs: a file of a few kilobytes may unpack to gigabytes."""
MAX_CELLS_IN_ROW = 100
MAX_NAMED_COLUMNS_LENGTH = 200

Row = tuple[int, list[str]]
"""The row's number in the file (the header is 1) and its cells, one per known column."""


@dataclass(frozen=True, slots=True)
class Header:
    """The known columns in the order of the file; `positions` are their indexes in a row."""

    columns: tuple[str, ...]
    positions: tuple[int, ...]


def detect_format(content: bytes) -> Format:
    return "xlsx" if content.startswith(b"PK\x03\x04") else "csv"


def read_header(content: bytes) -> Header:
    """Raises UnreadableFile if the file is not a table of products."""
    first_row = next(_raw_rows(content), None)
    if first_row is None:
        raise UnreadableFile("The file is empty.")
    names = [_column_name(cell) for cell in first_row[1]]
    while names and not names[-1]:
        names.pop()
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


def read_rows(content: bytes, header: Header) -> Iterator[Row]:
    """The rows after the header, without blank ones. Raises UnreadableFile where the file is damaged."""
    rows = _raw_rows(content)
    next(rows)
    for number, cells in rows:
        known = [unescape_formula(cells[i]).strip() if i < len(cells) else "" for i in header.positions]
        if any(known):
            yield number, known


def _raw_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    return _xlsx_rows(content) if detect_format(content) == "xlsx" else _csv_rows(content)


def _csv_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    # Decoded in chunks: decoding the whole file would need three times its memory.
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        for number, cells in enumerate(csv.reader(text, delimiter=_delimiter(content), strict=True), start=1):
            yield number, _limit_cells(cells)
    except UnicodeDecodeError as error:
        raise UnreadableFile("The file is not UTF-8.") from error
    except csv.Error as error:
        raise UnreadableFile(f"The file is not valid CSV: {error}.") from error


def _delimiter(content: bytes) -> str:
    """The most frequent candidate in the first row: spreadsheets write semicolons in some locales."""
    first_row = content.split(b"\n", 1)[0]
    return max((",", ";", "\t"), key=lambda delimiter: first_row.count(delimiter.encode()))


def _xlsx_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise UnreadableFile(f"The file unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB.")
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = workbook.worksheets[0]
            # The dimensions stored in the file are often wrong, and would truncate rows.
            sheet.reset_dimensions()
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                yield number, _limit_cells([cell_text(value) for value in cells])
        finally:
            workbook.close()
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl raises many types for damaged files
        raise UnreadableFile("The file is not valid XLSX.") from error


def _limit_cells(cells: list[str]) -> list[str]:
    if len(cells) > MAX_CELLS_IN_ROW:
        raise UnreadableFile(f"A row has more than {MAX_CELLS_IN_ROW} cells.")
    return cells
