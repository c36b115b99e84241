"""Builds the web console in a process beside the system, which is served meanwhile."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from stockbuddy.chassis.runtime.packaged import folder_beside

_REPOSITORY = Path(__file__).resolve().parents[5]
CONSOLE_DIRECTORY = folder_beside(__file__, "console", _REPOSITORY / "build" / "console")
"""A wheel contains the built console."""
_PROGRAM = _REPOSITORY / "deploy" / "build_console.py"


@contextlib.contextmanager
def console_build() -> Iterator[None]:
    """The build runs until it is done or the block ends. It also ends with this process, which closes the pipe."""
    if not _PROGRAM.exists():
        yield
        return
    try:
        CONSOLE_DIRECTORY.mkdir(parents=True, exist_ok=True)
        log = (CONSOLE_DIRECTORY / "build.log").open("wb")
    except OSError as error:
        print(f"The console is not built: can't write to {CONSOLE_DIRECTORY} ({error.strerror}).", file=sys.stderr)
        yield
        return
    with (
        log,
        subprocess.Popen(
            [sys.executable, str(_PROGRAM), "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
