"""Runs the system's programs as an operator's supervisor does: whatever ends is started again, and nothing else is done
for it. Faults are the tests' affair."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from stockbuddy.local_servers.process_reaper import ProcessReaper
from stockbuddy.embedded.processes import Program

RESTART_SECONDS = 0.2
STOP_SECONDS = 30


class Supervised:
    """One program: `process_id` of its present process, and how often it was started."""

    def __init__(self, name: str, program: Program, log: Path) -> None:
        self.name = name
        self.environment = program.environment
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

    async def until_started_again(self, starts: int) -> None:
        while self.starts <= starts:
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Supervised"]:
        task = asyncio.create_task(self._keep_running())
        try:
            await self.until_started_again(0)
            yield self
        finally:
            self._stopping = True
            self.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
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
            guardian = ProcessReaper([self._process.pid], signal.SIGKILL)
            self.starts += 1
            try:
                await self._process.wait()
            finally:
                guardian.dismiss()
            await asyncio.sleep(RESTART_SECONDS)
