"""Finds a kept response that is still current, or has the route produce one; concurrent requests share both."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.response_cache.entry import Entry, decode
from stockbuddy.chassis.http.response_cache.stores import (
    MAX_ENTRY_BYTES,
    MemoryStore,
    RedisStore,
    Store,
    StoreUnavailable,
)
from stockbuddy.chassis.postgres.data_version import compare_version
from stockbuddy.chassis.postgres.database import driver_connection
from stockbuddy.chassis.postgres.read_replica import request_reads
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.release import VERSION
from stockbuddy.chassis.runtime.settings import CacheSettings, ServiceSettings

Respond = Callable[[], Awaitable[Response]]


@dataclass(slots=True, eq=False)
class _Flight:
    """The concurrent requests for one key. `entry`: was found to be current after `read_at`."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    requests: int = 0
    entry: Entry | None = None
    read_at: float = 0.0


class ResponseCache:
    """The cache of one service of a company. `seconds`: how long an entry is used at most."""

    def __init__(self, service: str, company: str | None, store: Store, seconds: int) -> None:
        self._service = service
        self._company = company or ""
        self._store = store
        self._seconds = seconds
        self._flights: dict[tuple[str, int], _Flight] = {}

    async def close(self) -> None:
        await self._store.close()

    async def find_or_produce(self, key: str, session: AsyncSession, respond: Respond) -> Response:
        """The kept response for `key`, or that of `respond`, which reads through `session`. Either way it contains
        every change that was committed before the call, and, from a read replica, those of the caller."""
        arrived_at = time.monotonic()
        async with self._joined((key, _required_position())) as flight, flight.lock:
            if flight.entry is not None and flight.read_at >= arrived_at:
                self._count("shared")
                return flight.entry.to_response()
            return await self._find_or_produce(
                f"stockbuddy:{self._company}:{self._service}:{VERSION}:{key}", session, respond, flight
            )

    async def _find_or_produce(self, key: str, session: AsyncSession, respond: Respond, flight: _Flight) -> Response:
        kept, outcome = await self._get(key)
        read_at = time.monotonic()
        try:
            compared = await compare_version(await driver_connection(session), kept.version if kept else None)
        except DependencyUnavailable:
            self._count("unavailable")
            return await respond()
        if kept is not None and compared.is_current:
            self._count("hit")
            flight.entry, flight.read_at = kept, read_at
            return kept.to_response()
        self._count(outcome)
        response = await respond()
        # The version was read before the response: a change in between makes the entry outdated, never too new.
        entry = Entry.of(response, compared.now)
        if entry is not None:
            flight.entry, flight.read_at = entry, read_at
            await self._put(key, entry)
        return response

    async def _get(self, key: str) -> tuple[Entry | None, str]:
        """An entry that may be outdated, and the outcome of the request if it is or if there is none."""
        try:
            stored = await self._store.get(key)
        except StoreUnavailable:
            return None, "unavailable"
        if stored is None:
            return None, "absent"
        entry = decode(key, stored)
        if entry is None:
            return None, "invalid"
        return (entry, "outdated") if entry.is_younger_than(self._seconds) else (None, "absent")

    async def _put(self, key: str, entry: Entry) -> None:
        encoded = entry.encode(key)
        if len(encoded) <= MAX_ENTRY_BYTES:
            with suppress(StoreUnavailable):
                await self._store.put(key, encoded)

    @asynccontextmanager
    async def _joined(self, key: tuple[str, int]) -> AsyncIterator[_Flight]:
        flight = self._flights.setdefault(key, _Flight())
        flight.requests += 1
        try:
            yield flight
        finally:
            flight.requests -= 1
            if not flight.requests:
                del self._flights[key]

    def _count(self, outcome: str) -> None:
        metrics.CACHE_REQUESTS.labels(self._company, self._service, outcome).inc()


def open_cache(settings: ServiceSettings, service: str) -> ResponseCache | None:
    """None if the service has no cache, or if it is off."""
    if not isinstance(settings, CacheSettings) or not settings.cache_seconds:
        return None
    url, seconds = settings.cache_url, settings.cache_seconds
    store: Store = MemoryStore() if url is None else RedisStore(url, service, seconds)
    return ResponseCache(service, settings.company, store, seconds)


def _required_position() -> int:
    """Requests share a read of a replica only if they require the same position."""
    reads = request_reads.get()
    return 0 if reads is None else reads.position
