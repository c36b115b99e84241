"""Reads from a read replica, a hot standby of the service's database, which see the caller's own writes (ADR 37).

A connection to the replica serves a request once it has replayed the position that the request requires, and the
position that the primary had some seconds ago. Otherwise, and without a working replica, the primary serves.

Through PgBouncer, each transaction of a connection may reach another standby. The query for the replayed position and
the reads are then one transaction.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from stockbuddy.chassis.postgres.connections import serving_connections
from stockbuddy.chassis.postgres.database import Database, create_pooled_engine, driver_of
from stockbuddy.chassis.postgres.read_transactions import read_transaction
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.batched_reads import BatchedReads
from stockbuddy.chassis.runtime.companies import current_company
from stockbuddy.chassis.runtime.failures import BUSY, READ_ONLY, TIMED_OUT, DependencyUnavailable, classify
from stockbuddy.chassis.runtime.outages import OutageLog
from stockbuddy.chassis.runtime.pooler import Pooler

CONNECT_TIMEOUT_SECONDS = 1
"""Also for a server session of PgBouncer."""
WAIT_TIMEOUT_SECONDS = 0.1
"""For a replica that has not replayed a caller's write yet, or does not respond."""
POLL_INTERVAL_SECONDS = 0.004
MAX_WAITING_SHARE = 0.5
"""Of the pool's connections: at most so many wait for a position. A client may require one that never comes, and must
not hold all connections with it: the primary serves its other requests at once."""
STATE_TTL_SECONDS = 1.0
"""After this time, a connection verifies again that its server is a standby that replays."""
PROBE_INTERVAL_SECONDS = 5.0
"""Between two looks at the primary's position and at a replica that was unavailable. A read from the replica never
lags by more than two of them."""
PROBE_TIMEOUT_SECONDS = 2.0
POSITION_TIMEOUT_SECONDS = 2.0
UNKNOWN_POSITION = 2**64 - 1
"""Required after a write whose position could not be read: the primary serves."""

ReplicaError = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a read from a replica may raise for the replica's fault; includes TimeoutError."""

_STATE = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint"
_POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"


Outcome = Literal["replica", "behind", "crowded"]
"""`crowded`: behind, and enough other requests wait for the replica."""


@dataclass(slots=True)
class RequestReads:
    """What the reads of one request must see. `used_replica`: set by a read from the replica."""

    position: int = 0
    from_primary: bool = False
    used_replica: bool = False


request_reads: ContextVar[RequestReads | None] = ContextVar("request_reads", default=None)
"""None outside of requests that may read from a replica."""


class _State(NamedTuple):
    """What a connection's server had replayed at `read_at`. Never lowered, since a connection keeps its server."""

    replayed: int
    read_at: float


class ReadReplica:
    """Has the reading methods of `Database`, which serves what the replica can't."""

    def __init__(self, url: str, database: Database, *, pool_size: int, pooler: Pooler | None = None) -> None:
        self._database = database
        self._is_pooled = pooler is not None
        connect = serving_connections(
            url,
            database.schema,
            pooler=pooler,
            settings={"default_transaction_read_only": "on"},
            timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        )
        self.engine = create_pooled_engine(connect, pool_size)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._states: WeakKeyDictionary[asyncpg.Connection, _State] = WeakKeyDictionary()
        self._is_available = False
        self._outage = OutageLog("read_replica.unavailable", service=database.schema)
        self._positions = BatchedReads(self._read_position)
        self._max_waiting = max(1, int(pool_size * MAX_WAITING_SHARE))
        self._waiting = 0
        self._floor: int | None = None
        """The primary's position one or two intervals ago: what every read sees."""
        self._latest = 0
        self.worker = PollingWorker(
            f"{database.schema}.read_replica", self._probe, interval_seconds=PROBE_INTERVAL_SECONDS
        )

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """See `Database.reading`; in a request, from the replica if possible."""
        async with self._connection() as connection:
            if connection is None:
                async with self._database.reading() as session:
                    yield session
            else:
                async with AsyncSession(connection, autoflush=False) as session:
                    yield session

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[asyncpg.Connection]:
        """See `Database.raw`; for reads only."""
        async with self._connection() as connection:
            if connection is None:
                async with self._database.raw() as driver:
                    yield driver
            else:
                yield await driver_of(connection)

    def may_serve(self) -> bool:
        """Whether the current request may read from the replica, once a connection is admitted."""
        reads = request_reads.get()
        if reads is None or reads.from_primary:
            return False
        if not self._is_available:
            self._count("unavailable")
        return self._is_available

    @asynccontextmanager
    async def admission(self, driver: asyncpg.Connection) -> AsyncIterator[bool]:
        """Whether this connection to the replica sees, within the block, what the current request requires; waits at
        most WAIT_TIMEOUT_SECONDS for the caller's own writes."""
        async with AsyncExitStack() as stack:
            yield await self._admit(driver, stack)

    async def _admit(self, driver: asyncpg.Connection, stack: AsyncExitStack) -> bool:
        reads = request_reads.get()
        assert reads is not None
        assert self._floor is not None
        try:
            if self._is_pooled:
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    await stack.enter_async_context(read_transaction(driver))
            outcome = await self._wait(driver, reads.position, self._floor)
        except (*ReplicaError, DependencyUnavailable) as error:
            if not isinstance(error, DependencyUnavailable):
                driver.terminate()  # a statement may still be running on it
            self.record_failure(error)
            self._count("unavailable")
            return False
        self._count(outcome)
        reads.used_replica = reads.used_replica or outcome == "replica"
        return outcome == "replica"

    def record_failure(self, error: BaseException) -> None:
        """The primary serves until the replica works again, unless only a statement has failed."""
        failure = classify(error)
        if failure.affects_everything and failure.reason != READ_ONLY:
            self._is_available = False
            self._outage.record(error)

    async def position_after_writes(self) -> int:
        """A position of the primary that includes everything committed before the call."""
        try:
            async with asyncio.timeout(POSITION_TIMEOUT_SECONDS):
                return await self._positions.find(self._database.schema) or UNKNOWN_POSITION
        except (*ReplicaError, DependencyUnavailable):
            return UNKNOWN_POSITION

    async def _read_position(self, keys: Sequence[str]) -> Mapping[str, int]:
        async with self._database.raw() as connection:
            position: int = await connection.fetchval(_POSITION)
        return dict.fromkeys(keys, position)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection | None]:
        """A connection that is admitted; None if the primary serves."""
        async with AsyncExitStack() as stack:
            connection = await self._open(stack) if self.may_serve() else None
            yield connection

    async def _open(self, stack: AsyncExitStack) -> AsyncConnection | None:
        try:
            connection = await stack.enter_async_context(self._reading.connect())
        except ReplicaError as error:
            self.record_failure(error)
            self._count("unavailable")
            return None
        try:
            if await stack.enter_async_context(self.admission(await driver_of(connection))):
                return connection
        except BaseException:
            await connection.invalidate()
            raise
        await stack.aclose()  # not needed while the primary serves
        return None

    async def _wait(self, driver: asyncpg.Connection, position: int, floor: int) -> Outcome:
        """Raises DependencyUnavailable if the server is no standby, or lags too much for every read."""
        if position == UNKNOWN_POSITION:
            return "behind"
        state, now = None if self._is_pooled else self._states.get(driver), time.monotonic()
        if state is not None and state.replayed >= max(position, floor) and now < state.read_at + STATE_TTL_SECONDS:
            return "replica"
        replayed = await self._read_state(driver, floor)
        if replayed >= position:
            return "replica"
        if self._waiting >= self._max_waiting:
            return "crowded"
        self._waiting += 1
        try:
            while replayed < position and time.monotonic() < now + WAIT_TIMEOUT_SECONDS:
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
                replayed = await self._read_state(driver, floor)
        finally:
            self._waiting -= 1
        return "replica" if replayed >= position else "behind"

    async def _read_state(self, driver: asyncpg.Connection, floor: int) -> int:
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            is_standby, replayed = await driver.fetchrow(_STATE)
        if not is_standby:
            raise DependencyUnavailable(dependency="read replica", reason="promoted")
        if replayed < floor:
            raise DependencyUnavailable(dependency="read replica", reason="lagging")
        self._states[driver] = _State(replayed, time.monotonic())
        return int(replayed)

    async def _probe(self) -> bool:
        """True in the first round: without a position of the primary, the replica can't be compared with anything."""
        if self._floor is not None:
            await self._probe_replica(self._floor)
        is_first = self._floor is None
        position = (await self._read_position(("",)))[""]
        self._floor, self._latest = position if is_first else self._latest, position
        return is_first

    async def _probe_replica(self, floor: int) -> None:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS), self._reading.connect() as connection:
                await self._read_state(await driver_of(connection), floor)
        except (*ReplicaError, DependencyUnavailable) as error:
            self._is_available = False
            self._outage.record(error)
        else:
            self._is_available = True
            self._outage.end()
        metrics.READ_REPLICA_UP.labels(current_company(), self._database.schema).set(self._is_available)

    def _count(self, outcome: str) -> None:
        metrics.READ_REPLICA_READS.labels(current_company(), self._database.schema, outcome).inc()


def is_replica_fault(error: BaseException) -> bool:
    """Whether the primary may succeed with a read that failed on the replica. A statement that takes too long there
    takes too long on the primary as well."""
    return isinstance(error, ReplicaError) and classify(error).reason not in (BUSY, TIMED_OUT)
