"""Supervises the system's programs: a process that exits is restarted."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from stockbuddy.embedded.processes import Program
from stockbuddy.local_servers.process_reaper import ProcessReaper

RESTART_DELAY_SECONDS = 0.2
STOP_TIMEOUT_SECONDS = 30


class SupervisedProgram:
    """A program with its current process; `starts` counts how often it was started. A changed `environment` applies at
    the next start."""

    def __init__(self, name: str, program: Program, log: Path) -> None:
        self.name = name
        self.environment: Mapping[str, str] = program.environment
        self.starts = 0
        self._module = program.module
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait_for_start_after(self, starts: int) -> None:
        while self.starts <= starts:
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SupervisedProgram"]:
        task = asyncio.create_task(self._keep_running())
        try:
            await self.wait_for_start_after(0)
            yield self
        finally:
            self._stopping = True
            self.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                    await task
            except TimeoutError:
                self.signal(signal.SIGKILL)

    async def _keep_running(self) -> None:
        while not self._stopping:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    self._module,
                    env={**os.environ, **self.environment},
                    stdout=log,
                    stderr=log,
                )
            reaper = ProcessReaper([self._process.pid], signal.SIGKILL)
            self.starts += 1
            try:
                await self._process.wait()
            finally:
                reaper.dismiss()
            await asyncio.sleep(RESTART_DELAY_SECONDS)
