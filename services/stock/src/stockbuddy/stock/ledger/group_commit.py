"""Group commit: postings that arrive while a transaction is in flight are applied together in the next one.

Each posting gets its own right answer whatever happens to its group: a group that fails is tried again or taken apart,
and when a connection is lost during COMMIT, PostgreSQL is asked what became of the transaction before anything is
tried again, so that no effect is lost or doubled.
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
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.apply import Applied, MissingLevels, apply, create_levels
from stockbuddy.stock.ledger.postings import Failed, LevelKey, Outcome, Posting, Refused, Stale

log = structlog.get_logger(__name__)

ENTRIES_PER_GROUP = 1_000
LONGEST_QUEUE = 10_000
PATIENCE_SECONDS = 15.0
"""How long a request waits for a database that is away."""
ATTEMPTS_TOGETHER = 5
RECLAIMS = 10
LONGEST_PAUSE_SECONDS = 0.5
STATUS_POLL_SECONDS = 0.02

_PASSING = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    # A neighbour in another process has just stored one of our idempotency keys: next time it is seen in time.
    asyncpg.UniqueViolationError,
)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A posting whose request waits for `outcome`."""

    posting: Posting
    outcome: asyncio.Future[Outcome]
    since: float = field(default_factory=time.monotonic)


class _CommitUnknown(Exception):
    """The connection was lost during COMMIT."""

    def __init__(self, applied: Applied, group: Sequence[_Waiting]) -> None:
        self.applied = applied
        self.group = group
        super().__init__()


Reclaim = Callable[[asyncpg.Connection, Sequence[LevelKey]], Awaitable[Sequence[Posting]]]
"""Postings that make stock of these levels available that is promised to nobody any more, if there is any."""


class _Reclaimable(Exception):
    """Somebody is short of stock that these postings would give back."""

    def __init__(self, postings: Sequence[Posting]) -> None:
        self.postings = postings
        super().__init__()


class GroupCommitter:
    """One per process. `post` may be called by any number of requests at once."""

    def __init__(self, database: Database, reclaim: Reclaim) -> None:
        self._database = database
        self._reclaim = reclaim
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._closing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[GroupCommitter]:
        """Takes postings while the block runs, and finishes what was taken when it ends."""
        worker = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._closing = True
            self._arrived.set()
            await worker

    async def post(self, posting: Posting) -> Outcome:
        """Apply `posting` with whatever else is waiting. Once it has been taken up, it is applied even if the
        caller is cancelled. Raises Unavailable when nothing is taken any more, or the database stays away."""
        if self._closing or len(self._queue) >= LONGEST_QUEUE:
            raise Unavailable()
        waiting = _waiting(posting)
        self._queue.append(waiting)
        self._arrived.set()
        return await waiting.outcome

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._arrived.wait()
            self._arrived.clear()
            while group := self._take():
                await self._see_through(group)

    def _take(self) -> list[_Waiting]:
        """The next group, in order of arrival: at least one posting, at most about ENTRIES_PER_GROUP entries."""
        group: list[_Waiting] = []
        entries = 0
        while self._queue and entries < ENTRIES_PER_GROUP:
            waiting = self._queue.popleft()
            if not waiting.outcome.done():
                group.append(waiting)
                entries += len(waiting.posting.entries)
        return group

    async def _see_through(self, group: list[_Waiting]) -> None:
        """Settle `group`, and on the same connection whatever has arrived meanwhile; start again on another
        connection as long as somebody waits."""
        pause_seconds = 0.0
        while group := _unsettled(group):
            try:
                async with self._database.raw() as connection:
                    while group:
                        await self._settle(connection, group)
                        pause_seconds = 0.0
                        group = self._take()
            except _CommitUnknown as unknown:
                await self._find_out(unknown)
            except Exception as error:
                if not is_connection_error(error):
                    log.exception("ledger.failed")
                    _settle_all(group, Failed(error))
                    continue
                log.warning("ledger.database_away", error=repr(error))
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2 + 0.01, LONGEST_PAUSE_SECONDS)
            _lose_patience(group)

    async def _settle(self, connection: asyncpg.Connection, group: Sequence[_Waiting]) -> None:
        """Apply the group; what is at fault in itself is found by halving. Raises when the database is away."""
        error: Exception | None = None
        attempt, reclaimed = 0, 0
        while attempt < ATTEMPTS_TOGETHER:
            try:
                return await self._attempt(connection, group, may_reclaim=reclaimed < RECLAIMS)
            except MissingLevels as missing:
                await create_levels(connection, missing.keys)
            except _Reclaimable as reclaimable:
                reclaimed += 1
                await self._settle(connection, [_waiting(posting) for posting in reclaimable.postings])
            except _PASSING as passing:
                error, attempt = passing, attempt + 1
                log.info("ledger.tried_again", error=repr(passing), postings=len(group))
                await asyncio.sleep(random.uniform(0, 0.01 * attempt))
            except (asyncpg.PostgresError, RuntimeError) as failure:
                if is_connection_error(failure):
                    raise
                error = failure
                break
        if len(group) == 1:
            return _settle_all(group, _outcome_of(error))
        half = len(group) // 2
        await self._settle(connection, group[:half])
        await self._settle(connection, group[half:])

    async def _attempt(self, connection: asyncpg.Connection, group: Sequence[_Waiting], *, may_reclaim: bool) -> None:
        """One transaction; when it raises, nothing of it remains, unless it raises _CommitUnknown."""
        await connection.execute("BEGIN")
        try:
            applied = await apply(connection, [waiting.posting for waiting in group])
            if applied.short and may_reclaim and (postings := await self._reclaim(connection, applied.short)):
                raise _Reclaimable(postings)
        except BaseException as error:
            if is_connection_error(error):
                connection.terminate()
            else:
                await connection.execute("ROLLBACK")
            raise
        try:
            await connection.execute("COMMIT" if applied.wrote else "ROLLBACK")
        except Exception as error:
            if applied.wrote and is_connection_error(error):
                connection.terminate()
                raise _CommitUnknown(applied, group) from error
            raise
        self._announce(applied, group)

    def _announce(self, applied: Applied, group: Sequence[_Waiting]) -> None:
        if applied.wrote:
            self._database.notify(outbox.COMMITTED)
        for waiting, outcome in zip(group, applied.outcomes, strict=True):
            _settle_all([waiting], outcome)

    async def _find_out(self, unknown: _CommitUnknown) -> None:
        """Ask what became of a transaction; returns once it is known to be committed (then its group is settled) or
        not (then it may be tried again), or when nobody waits any more."""
        who = (unknown.applied.transaction_id, unknown.applied.backend_id)
        while _unsettled(unknown.group):
            try:
                async with self._database.raw() as connection:
                    # Whoever commits there still must not do so after we have tried again.
                    await connection.execute(statements.END_TRANSACTION, *who)
                    status = await connection.fetchval(statements.TRANSACTION_STATUS, who[0])
            except asyncpg.InvalidParameterValueError:
                return  # Another server has taken over, and it has never heard of this transaction.
            except Exception as error:
                log.warning("ledger.commit_unknown", transaction_id=who[0], error=repr(error))
                status = None
            if status == "committed":
                return self._announce(unknown.applied, unknown.group)
            if status == "aborted":
                return
            _lose_patience(unknown.group)
            await asyncio.sleep(STATUS_POLL_SECONDS)


def _waiting(posting: Posting) -> _Waiting:
    return _Waiting(posting, asyncio.get_running_loop().create_future())


def _outcome_of(error: Exception | None) -> Outcome:
    """What a posting that fails by itself is told."""
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        # Something that it refers to (a customer, say) has been removed since it was read.
        return Stale()
    log.error("ledger.posting_failed", exc_info=error)
    return Failed(error or RuntimeError("tried in vain"))


def _unsettled(group: Sequence[_Waiting]) -> list[_Waiting]:
    return [waiting for waiting in group if not waiting.outcome.done()]


def _settle_all(group: Sequence[_Waiting], outcome: Outcome) -> None:
    for waiting in _unsettled(group):
        waiting.outcome.set_result(outcome)


def _lose_patience(group: Sequence[_Waiting]) -> None:
    """Nobody waits forever for a database that is away."""
    latest = time.monotonic() - PATIENCE_SECONDS
    _settle_all([waiting for waiting in group if waiting.since < latest], Refused(Unavailable()))
