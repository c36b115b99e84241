"""A client with minimal overhead, because it shares the machine with the measured system."""

import asyncio
import gc
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import httptools

MAX_SUCCESS_STATUS = 299


@dataclass(frozen=True)
class Load:
    """Responses per second, and milliseconds from request to response."""

    rate: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s, p50 {self.p50:.2f} ms, p99 {self.p99:.2f} ms"


class Connection(asyncio.Protocol):
    """Sends the next request after each response, until `until`; a response without success ends the run."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], until: float) -> None:
        self._requests = requests
        self._latencies = latencies
        self._until = until
        self._transport: asyncio.Transport
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self._latencies.append(now - self._sent_at)
        if (status := self._parser.get_status_code()) > MAX_SUCCESS_STATUS:
            self.done.set_exception(RuntimeError(f"status {status}"))
        elif now < self._until:
            asyncio.get_running_loop().call_soon(self._send)
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("connection closed by the server"))


async def drive(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Load:
    """Send `requests` over `connections` connections to the loopback address for about `seconds`."""
    latencies: list[float] = []
    gc.collect()
    started_at = time.perf_counter()
    opened: list[Connection] = []
    for _ in range(connections):
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(requests, latencies, started_at + seconds), "127.0.0.1", port
        )
        opened.append(connection)
    await asyncio.gather(*(connection.done for connection in opened))
    elapsed = time.perf_counter() - started_at
    percentiles = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else latencies * 99
    return Load(len(latencies) / elapsed, percentiles[49] * 1000, percentiles[98] * 1000)


def median_of(loads: list[Load]) -> Load:
    """The median of each field."""
    return Load(*(statistics.median(getattr(load, name) for load in loads) for name in ("rate", "p50", "p99")))


def get(path: str, token: str | None = None) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{_authorization(token)}\r\n".encode()


def post(path: str, body: str, token: str, key: str) -> bytes:
    content = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\n{_authorization(token)}Idempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _authorization(token: str | None) -> str:
    return f"Authorization: Bearer {token}\r\n" if token else ""
