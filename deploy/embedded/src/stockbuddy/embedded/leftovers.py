"""The list of a run's processes in its data directory: the next start ends those that outlived their parent."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import structlog

from stockbuddy.embedded.errors import StartFailed

log = structlog.get_logger(__name__)

STOP_TIMEOUT_SECONDS = 30.0
POLL_INTERVAL_SECONDS = 0.05


class ProcessList:
    """Created by `opened`; a file of one run per port, locked while the run lasts. A line is a process id and the
    module that it runs."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    @contextlib.contextmanager
    def opened(cls, data: Path, port: int) -> Iterator[ProcessList]:
        """End the processes of an earlier run. Raises StartFailed if that run has not ended, or the directory is not
        writable."""
        path = data / f"processes-{port}"
        try:
            data.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        except OSError as error:
            raise StartFailed(
                f"STOCKBUDDY_DATA: can't write to {data} ({error.strerror}): set another directory."
            ) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartFailed(
                    f"Stockbuddy runs on port {port} with the data directory {data} already: stop it first."
                ) from None
            file.seek(0)
            for line in file.read().splitlines():
                process_id, _, module = line.partition(" ")
                _end(int(process_id), module)
            file.truncate(0)
            yield cls(file)
            file.truncate(0)

    def add(self, process_id: int, module: str) -> None:
        self._file.write(f"{process_id} {module}\n")
        self._file.flush()


def _end(process_id: int, module: str) -> None:
    if not _runs(process_id, module):
        return
    log.warning("process.left_over", module=module, process_id=process_id)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    os.kill(process_id, signal.SIGTERM)
    while _runs(process_id, module):
        if time.monotonic() > deadline:
            os.kill(process_id, signal.SIGKILL)
        time.sleep(POLL_INTERVAL_SECONDS)


def _runs(process_id: int, module: str) -> bool:
    """True if the process runs the module; its old id may belong to another program by now."""
    command_line = Path(f"/proc/{process_id}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return command_line.read_bytes().endswith(f"-m\0{module}\0".encode())
        except OSError:
            return False
    command = ["/bin/ps", "-p", str(process_id), "-o", "command="]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return shown.rstrip().endswith(f"-m {module}")
