"""The replicas of one service: found by address, used in turn by how busy they are, left alone while they are away."""

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
from stockbuddy.gateway.upstream.circuit import Circuit
from stockbuddy.gateway.upstream.connection import Connection

log = structlog.get_logger(__name__)

RESOLVE_SECONDS = 5.0
IDLE_SECONDS = 55.0
"""Less than a service keeps an idle connection (75 s), so that it is never closed under a request."""


class Unreachable(Exception):
    """No connection to a replica could be had, so nothing was sent to it."""


class Replica:
    """One address of a service, its idle connections and its circuit."""

    def __init__(self, origin: "Origin", address: str, *, connect_seconds: float, most_connections: int) -> None:
        self.origin = origin
        self.address = address
        self.circuit = Circuit()
        self.at_work = 0
        self._connect_seconds = connect_seconds
        self._most_connections = most_connections
        self._idle: list[Connection] = []

    async def take_connection(self, *, fresh: bool = False) -> Connection:
        """An idle connection, the latest used first, or a new one. Raises Unreachable."""
        if self.at_work >= self._most_connections:
            raise Unreachable
        self.at_work += 1
        try:
            while self._idle and not fresh:
                connection = self._idle.pop()
                if connection.is_reusable and time.monotonic() - connection.idle_since < IDLE_SECONDS:
                    return connection
                connection.close()
            return await self._connect()
        except BaseException:
            self.at_work -= 1
            raise

    async def _connect(self) -> Connection:
        origin = self.origin
        connecting = asyncio.get_running_loop().create_connection(
            Connection,
            self.address,
            origin.port,
            ssl=origin.tls,
            server_hostname=origin.host if origin.tls else None,
        )
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await connecting
        except (OSError, TimeoutError) as error:
            refused = isinstance(error, ConnectionRefusedError)
            if self.circuit.failed(time.monotonic(), unreachable=True, refused=refused):
                log.warning("upstream.away", host=origin.host, port=origin.port, error=repr(error))
            raise Unreachable from error
        return connection

    def give_back(self, connection: Connection) -> None:
        self.at_work -= 1
        if connection.is_reusable:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class Origin:
    """A configured URL of a service, whose name may have several addresses, and others later."""

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

    async def addresses(self) -> list[str]:
        """Raises OSError when the name is not known."""
        if self.is_address:
            return [self.host]
        found = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=SOCK_STREAM)
        return list(dict.fromkeys(str(address[4][0]) for address in found))


class Replicas:
    def __init__(self, service: str, urls: Sequence[str], *, connect_seconds: float, most_connections: int) -> None:
        self._service = service
        self._origins = [Origin(url) for url in urls]
        self._connect_seconds = connect_seconds
        self._most_connections = most_connections
        self._replicas: list[Replica] = []
        self._turn = 0
        self._resolving: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self._resolve()
        if not all(origin.is_address for origin in self._origins):
            self._resolving = asyncio.create_task(self._keep_resolving())

    async def close(self) -> None:
        if self._resolving is not None:
            self._resolving.cancel()
            await asyncio.gather(self._resolving, return_exceptions=True)
        for replica in self._replicas:
            replica.close()

    def pick(self, but: Sequence[Replica]) -> Replica:
        """The least busy replica that is not known to be away. Raises Unavailable at once when there is none.

        One that refused connections a moment ago is tried before a request is given up: when replicas are replaced
        one after the other, it may be there again when the last of the others leaves.
        """
        now = time.monotonic()
        self._turn += 1
        best: Replica | None = None
        count = len(self._replicas)
        for offset in range(count):
            replica = self._replicas[(self._turn + offset) % count]
            is_better = best is None or replica.at_work < best.at_work
            if is_better and replica.circuit.lets_through(now) and replica not in but:
                best = replica
        if best is None:
            for replica in self._replicas:
                if replica.circuit.is_refused and replica not in but:
                    return replica
            raise Unavailable(retry_after_seconds=self._seconds_until_next_try(now), service=self._service)
        best.circuit.begin_trial(now)
        return best

    def _seconds_until_next_try(self, now: float) -> int:
        pauses = [replica.circuit.seconds_left(now) for replica in self._replicas]
        return max(1, round(min(pauses, default=RESOLVE_SECONDS)))

    async def _keep_resolving(self) -> None:
        while True:
            await asyncio.sleep(RESOLVE_SECONDS)
            await self._resolve()

    async def _resolve(self) -> None:
        """Keep the replicas whose address still stands; while a name can't be resolved, all that it had."""
        kept: list[Replica] = []
        for origin in self._origins:
            known = {replica.address: replica for replica in self._replicas if replica.origin is origin}
            addresses = list(known)
            with contextlib.suppress(OSError):
                addresses = await origin.addresses()
            kept += [known.get(address) or self._replica(origin, address) for address in addresses]
        for replica in self._replicas:
            if replica not in kept:
                replica.close()
        self._replicas = kept

    def _replica(self, origin: Origin, address: str) -> Replica:
        return Replica(origin, address, connect_seconds=self._connect_seconds, most_connections=self._most_connections)
