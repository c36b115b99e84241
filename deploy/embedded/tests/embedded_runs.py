"""Embedded systems that are started by their command."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 60
ADMIN = {"username": "ann", "email": "ann@example.com", "password": "Correct-Horse-7"}


class Run:
    """A system that was started by its command. `background`: the id of its second process."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, http: httpx.AsyncClient) -> None:
        self.process = process
        self.http = http
        self._log = log

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def background(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        own = Path(f"/proc/{self.process.pid}/cmdline").read_bytes()
        [found] = [child for child in children if Path(f"/proc/{child}/cmdline").read_bytes() == own]
        return int(found)

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.http.request(method, f"/api/v1{path}", json=body)
        assert response.is_success, response.text
        return response.json()

    async def wait_until_ended(self) -> int:
        async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def running(folder: Path, *options: str, ready: int = 1, **settings: str) -> AsyncIterator[Run]:
    """`ready`: how many addresses the system prints once it is ready."""
    log = folder / "log"
    environment = {
        "ENV": "development",
        "PORT": "0",
        "STOCKBUDDY_DATA": str(folder / "data"),
        "BACKGROUND_PROCESS": "on",
        **settings,
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stockbuddy.embedded", *options), env={**os.environ, **environment}, stderr=output
        )
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while log.read_text().count("is ready at ") < ready:
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        url = log.read_text().partition("is ready at ")[2].split()[0]
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Run(process, log, http)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
