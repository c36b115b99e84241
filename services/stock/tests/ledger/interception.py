"""A proxy in front of PostgreSQL that loses a connection at its COMMIT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import parse_qs, urlsplit

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Fault(Enum):
    ANSWER_LOST = "the server commits, and its response is lost"
    REQUEST_LOST = "the COMMIT is lost, and the server sees the connection close"
    SILENCE = "the COMMIT is lost, and the server does not see the connection close"


class Interceptor:
    """Forwards everything; if `fault` is set, it is applied to the next COMMIT, once."""

    def __init__(self, database_url: str) -> None:
        self._server = urlsplit(database_url)
        self._open: list[asyncio.StreamWriter] = []
        self.fault: Fault | None = None
        self.met = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The URL of the database through the proxy."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        account = self._server.netloc.rpartition("@")[0] or "postgres"
        yield f"postgresql://{account}@127.0.0.1:{port}{self._server.path}?sslmode=disable"
        server.close()
        for writer in self._open:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = parse_qs(self._server.query)
        folder = query.get("host", [""])[0]
        port = int(query.get("port", ["5432"])[0])
        if folder.startswith("/"):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(self._server.hostname, self._server.port or port)

    async def _serve(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        server_in, server_out = await self._connect()
        self._open += [client_out, server_out]
        answering = asyncio.create_task(_pump(server_in, client_out))
        with suppress(ConnectionError):
            while request := await client_in.read(65536):
                fault, self.fault = (self.fault, None) if COMMIT in request else (None, self.fault)
                if fault is None:
                    server_out.write(request)
                    continue
                self.met += 1
                answering.cancel()
                await asyncio.wait([answering])
                if fault is Fault.ANSWER_LOST:
                    server_out.write(request)
                    await server_in.read(65536)
                client_out.close()
                if fault is Fault.SILENCE:
                    return
                break
        server_out.close()
        client_out.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while response := await source.read(65536):
            sink.write(response)
    sink.close()
