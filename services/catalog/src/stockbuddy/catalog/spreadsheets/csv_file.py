"""Reads the rows of a CSV file one by one, so that memory does not grow with their number."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.spreadsheets.cells import LimitExceeded, limit_cells
from stockbuddy.chassis.spreadsheets import unescape_csv_text

DELIMITERS = (",", ";", "\t", "|")
WINDOWS = "cp1252"
CHUNK_BYTES = 64 * 1024

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_8_LETTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?(?:\n|$)', re.IGNORECASE)
"""Excel's first line `sep=;` names the delimiter."""
_QUOTED = re.compile(r'"[^"]*"')


def read_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with their numbers. Raises UnreadableFile, naming the row where the file is
    damaged."""
    # Decoded in chunks: decoding the whole file would need three times its memory.
    text = io.TextIOWrapper(io.BytesIO(_without_marks(content)), encoding=_encoding(content), newline="")
    first_line = _peek_line(text)
    separator_line = _SEPARATOR_LINE.match(first_line)
    delimiter = separator_line[1] if separator_line else _delimiter(first_line)
    number = 0
    try:
        for number, cells in enumerate(csv.reader(text, delimiter=delimiter, strict=True), start=1):
            if number == 1 and separator_line:
                continue
            if limited := limit_cells([unescape_csv_text(cell) for cell in cells]):
                yield number, limited
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"Row {number + 1} or one of the next rows is neither UTF-8 nor Windows-1252; save the file as CSV UTF-8."
        ) from error
    except LimitExceeded as error:
        raise UnreadableFile(f"Row {number} is not valid: {error}") from error
    except csv.Error as error:
        raise UnreadableFile(
            f"Row {number + 1} is not valid CSV ({error}); a quotation mark may not be closed. Close it, and double "
            "the quotation marks within a text."
        ) from error


def _encoding(content: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or Windows-1252 for a file without any letter in UTF-8."""
    if content.startswith(_UTF_16_MARKS):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    try:
        for start in range(0, len(content), CHUNK_BYTES):
            decoder.decode(view[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "utf-8" if _UTF_8_LETTER.search(content) else WINDOWS
    return "utf-8"


def _without_marks(content: bytes) -> bytes:
    """Programs that add a byte order mark to a file that has one write two."""
    while content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
    return content


def _peek_line(text: io.TextIOWrapper) -> str:
    position = text.tell()
    try:
        return text.readline()
    except UnicodeDecodeError:
        return ""
    finally:
        text.seek(position)


def _delimiter(first_line: str) -> str:
    """The most frequent candidate outside quotation marks: spreadsheets write semicolons in some locales."""
    unquoted = _QUOTED.sub("", first_line)
    return max(DELIMITERS, key=unquoted.count)
