"""Reads the first sheet of an XLSX file in a process of its own: `python -m …workbook CPU_SECONDS MAX_ROWS`.

A small file can keep a parser busy for hours or unpack to gigabytes, so the operating system limits the process. The
file is stdin. Stdout receives a JSON line per row that is not blank, `[number, cells, kinds]`, and `{"end": true}` or
`{"error": "…"}` as the last one. Formulas are not evaluated: a cell has the value that was stored with the formula.
"""

import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

from openpyxl import load_workbook

from stockbuddy.catalog.spreadsheets.cells import CellKind, LimitExceeded, cell_kind, cell_text, limit_cells

MAX_UNPACKED_BYTES = 128 * 1024 * 1024
"""Protects against zip bombs: a file of a few kilobytes may unpack to gigabytes."""
MAX_SHARED_STRINGS = 1_000_000
MAX_SHEET_ROWS = 1_048_576
"""Excel's limit. A row may declare any number, and openpyxl returns blank rows for those before it."""
MAX_CELLS = 5_000_000
MAX_MEMORY_BYTES = 512 * 1024 * 1024
MAX_OUTPUT_BYTES = 512 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
MAX_TAG_BYTES = 64

_SHARED_STRING = re.compile(rb"<(?:\w{1,20}:)?si[\s/>]")


def main() -> None:
    cpu_seconds, max_rows = map(int, sys.argv[1:])
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: MAX_MEMORY_BYTES,
        resource.RLIMIT_FSIZE: MAX_OUTPUT_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    last: dict[str, str | bool] = {"end": True}
    try:
        for row in islice(read_rows(sys.stdin.buffer.read()), max_rows):
            print(json.dumps(row))
    except LimitExceeded as error:
        last = {"error": str(error)}
    except MemoryError:
        last = {"error": f"The file needs more than {MAX_MEMORY_BYTES // 2**20} MiB of memory."}
    except Exception:  # openpyxl raises many types for damaged files
        last = {"error": "The file is not valid XLSX."}
    print(json.dumps(last))


def read_rows(content: bytes) -> Iterator[tuple[int, list[str], dict[int, CellKind]]]:
    """The rows that are not blank: number, cells, and the kinds of special cells by their index. Raises LimitExceeded,
    or anything for a damaged file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_archive(archive)
    sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False).worksheets[0]
    # The dimensions stored in the file are often wrong, and would truncate rows.
    sheet.reset_dimensions()
    cell_count = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > MAX_SHEET_ROWS:
            raise LimitExceeded(f"The file has more than {MAX_SHEET_ROWS} rows.")
        if cells := limit_cells([_text(cell) for cell in row]):
            cell_count += len(cells)
            if cell_count > MAX_CELLS:
                raise LimitExceeded(f"The file has more than {MAX_CELLS} cells.")
            kinds = {place: kind for place, cell in enumerate(row) if (kind := cell_kind(cell.value, cell.data_type))}
            yield number, cells, kinds


def _text(cell: Any) -> str:
    """Looks up the format of numbers only, because that takes longer than the rest."""
    value = cell.value
    return cell_text(value, cell.number_format) if isinstance(value, (int, float)) else cell_text(value)


def _check_archive(archive: zipfile.ZipFile) -> None:
    """Shared strings are counted in every part, because the file decides which part contains them."""
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise LimitExceeded(f"The file unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB.")
    if any(count > MAX_SHARED_STRINGS for count in _count_shared_strings(archive)):
        raise LimitExceeded(f"The file has more than {MAX_SHARED_STRINGS} shared strings.")


def _count_shared_strings(archive: zipfile.ZipFile) -> Iterator[int]:
    """The number of them up to each chunk of the unpacked parts."""
    count = 0
    for entry in archive.infolist():
        rest = b""
        with archive.open(entry) as part:
            while chunk := part.read(CHUNK_BYTES):
                # An element that the end of the chunk cuts is counted with the next one.
                whole, cut, rest = (rest + chunk).rpartition(b"<")
                rest = (cut + rest)[:MAX_TAG_BYTES]
                count += len(_SHARED_STRING.findall(whole))
                yield count


if __name__ == "__main__":
    main()
