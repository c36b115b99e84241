"""The service on a real socket, and readers of its streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import uvicorn

from stockbuddy.chassis.runtime.shutdown import DrainingServer

TIMEOUT_SECONDS = 45
"""Enough for a thousand readers on a busy machine."""


@pytest.fixture
async def server(service: Any) -> AsyncIterator[DrainingServer]:
    config = uvicorn.Config(service.app, port=0, lifespan="off", log_config=None, access_log=False)
    server = DrainingServer(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
def address(server: DrainingServer) -> str:
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1"


@pytest.fixture
async def http(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(address + "/", timeout=aiohttp.ClientTimeout(total=30)) as client:
        yield client


class Reader:
    """A minimal EventSource (WHATWG HTML §9.2.6)."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_event_id = ""
        self.comments = 0
        self.start = ""

    async def event(self) -> dict[str, Any]:
        """The next event that has data. Raises EOFError at the end of the stream."""
        fields: dict[str, str] = {}
        while line := (await self.response.content.readline()).decode():
            line = line.rstrip("\n")
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                self.last_event_id = fields.get("id", self.last_event_id)
                if "data" in fields:
                    return {**fields, "data": json.loads(fields["data"])}
                fields = {}
        raise EOFError

    async def events(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return [await self.event() for _ in range(count)]

    async def begin(self) -> None:
        """Read the start position, a comment, and the line after it."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not (line := await self.response.content.readline()).startswith(b": id "):
                if not line:
                    raise EOFError
            self.start = line.decode().removeprefix(": id ").strip()
            await self.response.content.readline()


@pytest.fixture
def reader() -> type[Reader]:
    return Reader
