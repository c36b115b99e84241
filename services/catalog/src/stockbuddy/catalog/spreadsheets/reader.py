"""Reads the rows of a CSV or XLSX file, whatever their number, a few at a time.

Formulas are never evaluated nor taken for text: a spreadsheet's cell counts with the value that it showed.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from openpyxl import load_workbook

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.sheets.cells import COLUMN_ALIASES, IMPORT_COLUMNS, REPORT_COLUMNS, cell_text, unguarded

Format = Literal["csv", "xlsx"]

MOST_UNPACKED_BYTES = 128 * 1024 * 1024
"""A zip of a few kilobytes may unpack to gigabytes."""
MOST_CELLS_IN_ROW = 100

Row = tuple[int, list[str]]
"""Its number in the file (the header is 1) and its cells, one for each of the known columns."""


@dataclass(frozen=True, slots=True)
class Header:
    """`columns` are the known ones in the file's order; `places` where they stand in a row."""

    columns: tuple[str, ...]
    places: tuple[int, ...]


def format_of(content: bytes) -> Format:
    return "xlsx" if content.startswith(b"PK\x03\x04") else "csv"


def read_header(content: bytes) -> Header:
    """Raises UnreadableFile for what is no table of products."""
    first = next(_raw_rows(content), None)
    if first is None:
        raise UnreadableFile("The file is empty.")
    names = [COLUMN_ALIASES.get(name, name) for name in (cell.strip().lower().replace(" ", "_") for cell in first[1])]
    while names and not names[-1]:
        names.pop()
    unknown = [name for name in names if name not in (*IMPORT_COLUMNS, *REPORT_COLUMNS)]
    if unknown:
        raise UnreadableFile(f"Unknown columns: {', '.join(unknown)[:200]}. Known are: {', '.join(IMPORT_COLUMNS)}.")
    if "sku" not in names:
        raise UnreadableFile("There is no column sku in the first row.")
    if len(set(names)) < len(names):
        raise UnreadableFile("A column stands twice in the first row.")
    known = [(name, place) for place, name in enumerate(names) if name in IMPORT_COLUMNS]
    return Header(tuple(name for name, _ in known), tuple(place for _, place in known))


def read_rows(content: bytes, header: Header) -> Iterator[Row]:
    """The rows behind the header that are not blank. Raises UnreadableFile where the file is broken."""
    rows = _raw_rows(content)
    next(rows)
    for number, cells in rows:
        known = [unguarded(cells[place]).strip() if place < len(cells) else "" for place in header.places]
        if any(known):
            yield number, known


def _raw_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    return _xlsx_rows(content) if format_of(content) == "xlsx" else _csv_rows(content)


def _csv_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    # One piece at a time: decoded as a whole, the file would stand in memory three times.
    try:
        reader = csv.reader(
            io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline=""),
            delimiter=_delimiter(content),
            strict=True,
        )
        for number, cells in enumerate(reader, start=1):
            yield number, _checked(cells)
    except UnicodeDecodeError as error:
        raise UnreadableFile("The file is not UTF-8.") from error
    except csv.Error as error:
        raise UnreadableFile(f"The file is no valid CSV: {error}.") from error


def _delimiter(content: bytes) -> str:
    """The one of the first row: comma, or what spreadsheets of other countries write."""
    first = content.split(b"\n", 1)[0]
    return max((",", ";", "\t"), key=lambda delimiter: first.count(delimiter.encode()))


def _xlsx_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED_BYTES:
                raise UnreadableFile("The file unpacks to more than is accepted.")
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = workbook.worksheets[0]
            # What the file says of its own size is often wrong, and then rows would be cut.
            sheet.reset_dimensions()
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                yield number, _checked([cell_text(value) for value in cells])
        finally:
            workbook.close()
    except UnreadableFile:
        raise
    except Exception as error:  # a broken file can break the library anywhere
        raise UnreadableFile("The file is no valid XLSX.") from error


def _checked(cells: list[str]) -> list[str]:
    if len(cells) > MOST_CELLS_IN_ROW:
        raise UnreadableFile(f"A row has more than {MOST_CELLS_IN_ROW} cells.")
    return cells
