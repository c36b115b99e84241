"""TLS in front of a PostgreSQL that was compiled without it, as that of the tests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@asynccontextmanager
async def tls_in_front_of(url: str, certificate: Path) -> AsyncIterator[int]:
    """The port of a server on 127.0.0.1 that negotiates TLS as PostgreSQL does. `certificate`: with its key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(65536):
            writer.write(received)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # SSLRequest
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except (ConnectionError, ssl.SSLError):
            return  # the client rejects the certificate
        if parts.hostname:
            upstream = await asyncio.open_connection(parts.hostname, parts.port)
        else:
            upstream = await asyncio.open_unix_connection(f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}")
        await asyncio.gather(forward(reader, upstream[1]), forward(upstream[0], writer), return_exceptions=True)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
