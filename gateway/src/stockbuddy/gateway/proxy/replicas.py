"""Replicas of a service: resolved from its URLs, chosen by requests in flight, skipped while their circuit is open."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Sequence
from ipaddress import ip_address
from socket import SOCK_STREAM
from urllib.parse import urlsplit

import structlog

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.gateway.proxy.circuit_breaker import CircuitBreaker
from stockbuddy.gateway.proxy.connection import Connection

log = structlog.get_logger(__name__)

RESOLVE_INTERVAL_SECONDS = 5.0
IDLE_TIMEOUT_SECONDS = 55.0
"""Shorter than a service's keep-alive timeout (75 s), so that a service never closes a connection under a request."""


class ReplicaUnreachable(Exception):
    """No connection to the replica could be established, so nothing was sent."""


class Replica:
    """One address of a service, with its idle connections and circuit breaker."""

    def __init__(
        self, url: "ServiceUrl", address: str, *, connect_timeout_seconds: float, max_connections: int
    ) -> None:
        self.url = url
        self.address = address
        self.circuit = CircuitBreaker()
        self.in_flight = 0
        self._connect_timeout_seconds = connect_timeout_seconds
        self._max_connections = max_connections
        self._idle: list[Connection] = []

    async def acquire_connection(self, *, new: bool = False) -> Connection:
        """The most recently used idle connection, or a new one. Raises ReplicaUnreachable."""
        if self.in_flight >= self._max_connections:
            raise ReplicaUnreachable
        self.in_flight += 1
        try:
            while self._idle and not new:
                connection = self._idle.pop()
                if connection.is_reusable and time.monotonic() - connection.idle_since < IDLE_TIMEOUT_SECONDS:
                    return connection
                connection.close()
            return await self._connect()
        except BaseException:
            self.in_flight -= 1
            raise

    async def _connect(self) -> Connection:
        url = self.url
        connecting = asyncio.get_running_loop().create_connection(
            Connection, self.address, url.port, ssl=url.tls, server_hostname=url.host if url.tls else None
        )
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                _, connection = await connecting
        except (OSError, TimeoutError) as error:
            refused = isinstance(error, ConnectionRefusedError)
            if self.circuit.record_failure(time.monotonic(), unreachable=True, refused=refused):
                log.warning("upstream.unreachable", host=url.host, port=url.port, error=repr(error))
            raise ReplicaUnreachable from error
        return connection

    def release_connection(self, connection: Connection) -> None:
        self.in_flight -= 1
        if connection.is_reusable:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class ServiceUrl:
    """A configured URL of a service. Its host name may resolve to several addresses, which may change."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the URL of a service: {url!r}")
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None

    @property
    def is_address(self) -> bool:
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    async def resolve(self) -> list[str]:
        """The addresses. Raises OSError if the name is unknown."""
        if self.is_address:
            return [self.host]
        found = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=SOCK_STREAM)
        return list(dict.fromkeys(str(address[4][0]) for address in found))


class ReplicaSet:
    def __init__(
        self, service: str, urls: Sequence[str], *, connect_timeout_seconds: float, max_connections: int
    ) -> None:
        self._service = service
        self._urls = [ServiceUrl(url) for url in urls]
        self._connect_timeout_seconds = connect_timeout_seconds
        self._max_connections = max_connections
        self._replicas: list[Replica] = []
        self._turn = 0
        self._resolver: PollingWorker | None = None

    async def open(self) -> None:
        await self._resolve()
        if not all(url.is_address for url in self._urls):
            self._resolver = PollingWorker(
                f"replicas of {self._service}", self._resolve, interval_seconds=RESOLVE_INTERVAL_SECONDS
            )
            self._resolver.start()

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.stop()
        for replica in self._replicas:
            replica.close()

    @property
    def counts(self) -> tuple[int, int]:
        """How many replicas are known, and how many of them receive requests."""
        now = time.monotonic()
        return len(self._replicas), sum(replica.circuit.allows(now) for replica in self._replicas)

    def pick(self, exclude: Sequence[Replica]) -> Replica:
        """The replica with the fewest requests in flight whose circuit is not open. Raises Unavailable at once if
        there is none.

        As a last resort, replicas with an open circuit due to refused connections are tried: in a rolling restart one
        may have restarted when the last of the others stops.
        """
        now = time.monotonic()
        self._turn += 1
        best: Replica | None = None
        count = len(self._replicas)
        for offset in range(count):
            replica = self._replicas[(self._turn + offset) % count]
            is_better = best is None or replica.in_flight < best.in_flight
            if is_better and replica.circuit.allows(now) and replica not in exclude:
                best = replica
        if best is None:
            for replica in self._replicas:
                if replica.circuit.is_refused and replica not in exclude:
                    return replica
            raise Unavailable(retry_after_seconds=self._seconds_until_next_trial(now), service=self._service)
        best.circuit.begin_half_open(now)
        return best

    def _seconds_until_next_trial(self, now: float) -> int:
        seconds = [replica.circuit.seconds_left(now) for replica in self._replicas]
        return max(1, round(min(seconds, default=RESOLVE_INTERVAL_SECONDS)))

    async def _resolve(self) -> None:
        """Keep replicas whose address is still listed; while a name can't be resolved, keep all of its replicas."""
        resolved: list[Replica] = []
        for url in self._urls:
            existing = {replica.address: replica for replica in self._replicas if replica.url is url}
            addresses = list(existing)
            with contextlib.suppress(OSError):
                addresses = await url.resolve()
            resolved += [existing.get(address) or self._create_replica(url, address) for address in addresses]
        for replica in self._replicas:
            if replica not in resolved:
                replica.close()
        self._replicas = resolved

    def _create_replica(self, url: ServiceUrl, address: str) -> Replica:
        return Replica(
            url,
            address,
            connect_timeout_seconds=self._connect_timeout_seconds,
            max_connections=self._max_connections,
        )
