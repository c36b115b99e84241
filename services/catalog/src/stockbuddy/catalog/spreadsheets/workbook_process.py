"""Runs `workbook` as a separate process with a time limit, and reads the rows that it writes to a temporary file."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import IO

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.spreadsheets.cells import CellKind

MODULE = "stockbuddy.catalog.spreadsheets.workbook"
CPU_SECONDS = 60
HEADER_CPU_SECONDS = 15
TIMEOUT_FACTOR = 4
"""Of elapsed time to CPU time, on a busy machine."""

RawRow = tuple[int, list[str], dict[int, CellKind]]
"""The row's number in the file (the first is 1), all of its cells, and the kinds of special cells by their index."""


@asynccontextmanager
async def parse_workbook(
    content: bytes, *, cpu_seconds: int, max_rows: int
) -> AsyncIterator[Callable[[], Iterator[RawRow]]]:
    """Reads the first `max_rows` rows that are not blank, when all of them have been parsed. Raises UnreadableFile."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        await asyncio.to_thread(_write, source, content)
        # The process has no use for the settings and secrets in this process' environment.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE, str(cpu_seconds), str(max_rows)),
            stdin=source,
            stdout=target,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            async with asyncio.timeout(cpu_seconds * TIMEOUT_FACTOR):
                await process.wait()
        except TimeoutError as error:
            raise _too_slow(cpu_seconds) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        yield lambda: _read_lines(target, cpu_seconds)


def _write(source: IO[bytes], content: bytes) -> None:
    source.write(content)
    source.seek(0)


def _read_lines(target: IO[bytes], cpu_seconds: int) -> Iterator[RawRow]:
    target.seek(0)
    for line in target:
        row = json.loads(line) if line.endswith(b"\n") else None
        match row:
            case [int(number), list(cells), dict(kinds)]:
                yield number, cells, {int(place): kind for place, kind in kinds.items()}
            case {"error": str(message)}:
                raise UnreadableFile(message)
            case {"end": True}:
                return
    # The system has ended the process, which could not write a last line.
    raise _too_slow(cpu_seconds)


def _too_slow(cpu_seconds: int) -> UnreadableFile:
    return UnreadableFile(f"The file could not be read within {cpu_seconds} seconds and the limits of memory.")
