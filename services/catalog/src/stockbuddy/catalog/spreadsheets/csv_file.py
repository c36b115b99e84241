"""Reads the rows of a CSV file one by one, so that memory does not grow with their number."""

import csv
import io
import re
from collections.abc import Iterator

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.spreadsheets.cells import LimitExceeded, limit_cells

_SEPARATOR_LINE = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=(.)"?\r?(?:\n|$)', re.IGNORECASE)
"""Excel's first line `sep=;` names the delimiter."""


def read_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with their numbers. Raises UnreadableFile where the file is damaged."""
    # Decoded in chunks: decoding the whole file would need three times its memory.
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    separator_line = _SEPARATOR_LINE.match(content)
    try:
        for number, cells in enumerate(csv.reader(text, delimiter=_delimiter(content), strict=True), start=1):
            if number == 1 and separator_line:
                continue
            if limited := limit_cells(cells):
                yield number, limited
    except UnicodeDecodeError as error:
        raise UnreadableFile("The file is not UTF-8.") from error
    except (csv.Error, LimitExceeded) as error:
        raise UnreadableFile(f"The file is not valid CSV: {error}") from error


def _delimiter(content: bytes) -> str:
    """The one that the first line names, or else the most frequent candidate in the first row: spreadsheets write
    semicolons in some locales."""
    if named := _SEPARATOR_LINE.match(content):
        return named[1].decode("latin-1")
    first_row = content.split(b"\n", 1)[0]
    return max((",", ";", "\t"), key=lambda delimiter: first_row.count(delimiter.encode()))
