"""Group commit: postings that arrive while a transaction is in flight are applied together in the next one.

Each posting gets its own outcome whatever happens to its group: a failing group is retried or split, and when the
connection is lost during COMMIT, PostgreSQL is asked for the transaction's status before anything is retried, so that
no posting is lost or applied twice.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import structlog

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.chassis.runtime.outages import OutageLog
from stockbuddy.contracts.event import Event
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.apply import GroupResult, MissingLevels, apply, create_levels
from stockbuddy.stock.ledger.postings import Accepted, Failed, LevelKey, Posting, PostingOutcome, Refused, Stale

log = structlog.get_logger(__name__)

MAX_GROUP_ENTRIES = 1_000
MAX_QUEUE_LENGTH = 10_000
TIMEOUT_SECONDS = 15.0
"""How long a request waits for an unavailable database."""
MAX_GROUP_ATTEMPTS = 5
MAX_RECLAIM_ROUNDS = 10
MAX_RETRY_DELAY_SECONDS = 0.5
STATUS_POLL_INTERVAL_SECONDS = 0.02

_TRANSIENT_ERRORS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    # A concurrent request stored the same idempotency key; the retry finds it and replays the response.
    asyncpg.UniqueViolationError,
)


@dataclass(slots=True, eq=False)
class _PendingPosting:
    """A posting and the future that its request awaits."""

    posting: Posting
    outcome: asyncio.Future[PostingOutcome]
    since: float = field(default_factory=time.monotonic)


class _CommitUnknown(Exception):
    """The connection was lost during COMMIT."""

    def __init__(self, result: GroupResult, group: Sequence[_PendingPosting]) -> None:
        self.result = result
        self.group = group
        super().__init__()


Reclaim = Callable[[asyncpg.Connection, Sequence[LevelKey]], Awaitable[Sequence[Posting]]]
"""Returns postings that release stock of these levels still reserved by expired reservations."""


Observe = Callable[[Sequence[Event]], None]
"""Called with the events of each document that was committed."""


class _Reclaimable(Exception):
    """A posting lacks stock that these postings would release."""

    def __init__(self, postings: Sequence[Posting]) -> None:
        self.postings = postings
        super().__init__()


class GroupCommitter:
    """One per process; requests call `post` concurrently. Not a PollingWorker: it is driven by requests in memory, and
    has to complete the accepted ones before it stops."""

    def __init__(self, database: Database, reclaim: Reclaim, observe: Observe) -> None:
        self._database = database
        self._reclaim = reclaim
        self._observe = observe
        self._queue: deque[_PendingPosting] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._outage = OutageLog("ledger.database_unavailable")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[GroupCommitter]:
        """Accept postings while the block runs, and complete those accepted when it ends."""
        worker = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._closing = True
            self._arrived.set()
            await worker

    async def post(self, posting: Posting) -> PostingOutcome:
        """Apply `posting` in the next group. It may be applied even if the caller is cancelled. Raises Unavailable if
        the queue is full or closed; an unavailable database is the outcome Refused(Unavailable)."""
        if self._closing or len(self._queue) >= MAX_QUEUE_LENGTH:
            raise Unavailable()
        pending = _pending(posting)
        self._queue.append(pending)
        self._arrived.set()
        return await pending.outcome

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._arrived.wait()
            self._arrived.clear()
            while group := self._next_group():
                await self._process(group)

    def _next_group(self) -> list[_PendingPosting]:
        """In order of arrival: at least one posting, at most about MAX_GROUP_ENTRIES entries."""
        group: list[_PendingPosting] = []
        entries = 0
        while self._queue and entries < MAX_GROUP_ENTRIES:
            pending = self._queue.popleft()
            if not pending.outcome.done():
                group.append(pending)
                entries += len(pending.posting.entries)
        return group

    async def _process(self, group: list[_PendingPosting]) -> None:
        """Commit `group`, and on the same connection whatever has arrived meanwhile; after a connection error, retry
        on a new connection until every posting has an outcome."""
        delay_seconds = 0.0
        while group := _unresolved(group):
            try:
                async with self._database.raw() as connection:
                    while group:
                        await self._commit_or_split(connection, group)
                        delay_seconds = 0.0
                        self._outage.end()
                        group = self._next_group()
            except _CommitUnknown as unknown:
                await self._resolve_unknown_commit(unknown)
            except Exception as error:
                if not is_environment_fault(error):
                    log.exception("ledger.failed")
                    _resolve(group, Failed(error))
                    continue
                self._outage.record(error)
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(delay_seconds * 2 + 0.01, MAX_RETRY_DELAY_SECONDS)
            _expire_waiters(group)

    async def _commit_or_split(self, connection: asyncpg.Connection, group: Sequence[_PendingPosting]) -> None:
        """Apply the group; on an unexpected error split it in two to isolate the failing posting. Raises if the
        database is unavailable."""
        error: Exception | None = None
        attempt, reclaim_rounds = 0, 0
        while attempt < MAX_GROUP_ATTEMPTS:
            try:
                return await self._commit(connection, group, may_reclaim=reclaim_rounds < MAX_RECLAIM_ROUNDS)
            except MissingLevels as missing:
                await create_levels(connection, missing.keys)
            except _Reclaimable as reclaimable:
                reclaim_rounds += 1
                await self._commit_or_split(connection, [_pending(posting) for posting in reclaimable.postings])
            except _TRANSIENT_ERRORS as transient:
                error, attempt = transient, attempt + 1
                log.info("ledger.retry", error=repr(transient), postings=len(group))
                await asyncio.sleep(random.uniform(0, 0.01 * attempt))
            except (asyncpg.PostgresError, RuntimeError) as failure:
                if is_environment_fault(failure):
                    raise
                error = failure
                break
        if len(group) == 1:
            return _resolve(group, _outcome_for(error))
        half = len(group) // 2
        await self._commit_or_split(connection, group[:half])
        await self._commit_or_split(connection, group[half:])

    async def _commit(
        self, connection: asyncpg.Connection, group: Sequence[_PendingPosting], *, may_reclaim: bool
    ) -> None:
        """One transaction. If it raises anything but _CommitUnknown, the transaction was rolled back."""
        await connection.execute("BEGIN")
        try:
            result = await apply(connection, [pending.posting for pending in group])
            if result.shortages and may_reclaim and (postings := await self._reclaim(connection, result.shortages)):
                raise _Reclaimable(postings)
        except BaseException as error:
            if is_environment_fault(error):
                connection.terminate()
            else:
                await connection.execute("ROLLBACK")
            raise
        try:
            await connection.execute("COMMIT" if result.wrote else "ROLLBACK")
        except Exception as error:
            if result.wrote and is_environment_fault(error):
                connection.terminate()
                raise _CommitUnknown(result, group) from error
            raise
        self._resolve_committed(result, group)

    def _resolve_committed(self, result: GroupResult, group: Sequence[_PendingPosting]) -> None:
        if result.wrote:
            self._database.notify(outbox.COMMITTED)
        for pending, outcome in zip(group, result.outcomes, strict=True):
            if isinstance(outcome, Accepted):
                self._observe(outcome.events)
            _resolve([pending], outcome)

    async def _resolve_unknown_commit(self, unknown: _CommitUnknown) -> None:
        """Ask PostgreSQL for the transaction's status. Returns once it is committed (the group is then resolved) or
        aborted (the group may be retried), or when no request waits any more."""
        transaction_id, backend_id = unknown.result.transaction_id, unknown.result.backend_id
        while _unresolved(unknown.group):
            try:
                async with self._database.raw() as connection:
                    # Terminate the old backend first: its COMMIT must not succeed after our retry.
                    await connection.execute(statements.TERMINATE_TRANSACTION, transaction_id, backend_id)
                    status = await connection.fetchval(statements.TRANSACTION_STATUS, transaction_id)
            except asyncpg.InvalidParameterValueError:
                return  # After a failover the new server may not have this transaction id: it was not replicated.
            except Exception as error:
                log.warning("ledger.commit_unknown", transaction_id=transaction_id, error=repr(error))
                status = None
            if status == "committed":
                return self._resolve_committed(unknown.result, unknown.group)
            if status == "aborted":
                return
            _expire_waiters(unknown.group)
            await asyncio.sleep(STATUS_POLL_INTERVAL_SECONDS)


def _pending(posting: Posting) -> _PendingPosting:
    return _PendingPosting(posting, asyncio.get_running_loop().create_future())


def _outcome_for(error: Exception | None) -> PostingOutcome:
    """The outcome of a posting that fails in a group of its own."""
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        # A row that it refers to, such as a customer, has been deleted since it was read.
        return Stale()
    log.error("ledger.posting_failed", exc_info=error)
    return Failed(error or RuntimeError("attempts exhausted"))


def _unresolved(group: Sequence[_PendingPosting]) -> list[_PendingPosting]:
    return [pending for pending in group if not pending.outcome.done()]


def _resolve(group: Sequence[_PendingPosting], outcome: PostingOutcome) -> None:
    for pending in _unresolved(group):
        pending.outcome.set_result(outcome)


def _expire_waiters(group: Sequence[_PendingPosting]) -> None:
    """Refuse postings that have waited for longer than TIMEOUT_SECONDS."""
    latest = time.monotonic() - TIMEOUT_SECONDS
    _resolve([pending for pending in group if pending.since < latest], Refused(Unavailable()))
