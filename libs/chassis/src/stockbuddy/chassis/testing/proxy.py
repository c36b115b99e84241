"""A TCP proxy between a service and a server; the test controls which direction passes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

CHUNK_BYTES = 65536


class Proxy:
    """Blocked bytes are held back without closing the connections."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._outward, self._homeward = asyncio.Event(), asyncio.Event()
        self._links: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.pass_all()

    @classmethod
    def to(cls, url: str) -> "Proxy":
        parts = urlsplit(url)
        return cls(parts.hostname or "127.0.0.1", parts.port or 5672)

    def through(self, url: str) -> str:
        """The URL with the proxy's address."""
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{credentials}@127.0.0.1:{self.port}").geturl()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            self.pass_all()
            await server.wait_closed()

    def pass_all(self) -> None:
        self._outward.set()
        self._homeward.set()

    def block_requests(self) -> None:
        """Block the direction to the server: messages that a broker delivers are not acknowledged."""
        self._outward.clear()

    def block_all(self) -> None:
        """Block both directions; the connections stay open."""
        self._outward.clear()
        self._homeward.clear()

    def cut(self) -> None:
        """Abort every connection and discard the blocked bytes."""
        for writer in self._links:
            writer.transport.abort()
        self._links.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._links |= {writer, server_writer}
        ways = (
            asyncio.create_task(_carry(reader, server_writer, self._outward)),
            asyncio.create_task(_carry(server_reader, writer, self._homeward)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, server_writer):
                end.transport.abort()
                self._links.discard(end)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_pass: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(CHUNK_BYTES):
            await may_pass.wait()
            writer.write(piece)
            await writer.drain()
