"""Folders for the data of test servers: in memory if there is room, since most of a test's time is writing files."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 (the folders in it have random names and belong to this user alone)
PREFIX = "stockbuddy-test-"
# For the servers of all processes of a run; containers have 64 MB by default.
MIN_FREE_BYTES = 4 * 1024**3
STALE_SECONDS = 3 * 3600  # longer than any test run; older folders are left over from killed runs


@contextmanager
def server_folder(memory: Path = MEMORY, min_free_bytes: int = MIN_FREE_BYTES) -> Iterator[Path]:
    """A new folder, deleted on exit."""
    in_memory = memory.is_dir() and shutil.disk_usage(memory).free >= min_free_bytes
    if in_memory:
        _delete_stale(memory)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=memory if in_memory else None) as folder:
        yield Path(folder)


def _delete_stale(memory: Path) -> None:
    for folder in memory.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # its own process has just deleted it
            if folder.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
