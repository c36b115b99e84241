"""Idempotent consumer: a message's effect and its `done` row commit in one transaction, so redelivery has no effect.

While the environment is at fault (ADR 13), messages wait and use up no attempts. A failing handler is retried twice at
once, then later with exponential backoff (`retry`); after MAX_ATTEMPTS, or if it can never succeed, the message is kept
as `dead` for an operator. A message that arrives before its predecessor is `parked`, and retried whenever another
message with the same partition key completes. All of this state is in PostgreSQL, so it is the same for every broker
and visible in SQL.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from itertools import groupby

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import inbox_store
from stockbuddy.chassis.messaging.bus import ConsumerUnavailable, EventTooLarge, Subscription
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, PredecessorMissing
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.postgres.failures import is_unstorable
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.background import GrowingInterval, PollingWorker
from stockbuddy.chassis.runtime.failures import TIMED_OUT, classify, is_environment_fault
from stockbuddy.chassis.runtime.outages import OutageLog

log = structlog.get_logger(__name__)

IMMEDIATE_ATTEMPTS = 3
MAX_ATTEMPTS = 12
MAX_DELAY_SECONDS = 3600
MAX_EXPONENT = 12
MAX_ERROR_LENGTH = 2000
RETRY_INTERVAL_SECONDS = 1.0
MAX_RETRY_INTERVAL_SECONDS = 5.0
RETRY_BATCH_SIZE = 50
PING_TIMEOUT_SECONDS = 5
MAX_READY_DELAY_SECONDS = 2.0
MAX_BATCHED_DELIVERIES = 2
"""A message delivered this often without an acknowledgement may have crashed its consumer: it is then handled alone."""

UNREPEATABLE = (PredecessorMissing, PermanentFailure, EventTooLarge)
"""Errors that an immediate repetition does not change."""


class Inbox:
    """One consumer group's inbox in its service's database."""

    def __init__(self, database: Database, consumer: Consumer) -> None:
        self._database = database
        self._consumer = consumer
        self._group = consumer.group
        self._deferred = f"inbox.deferred.{consumer.group}"
        """The commit signal of transactions after which a message waits for a retry or becomes due."""
        self.outage = OutageLog("inbox.dependency_unavailable", group=consumer.group)
        self._interrupted: Sequence[Message] = ()
        """The messages that could not be handled by the environment's fault."""
        self._counted: set[str] = set()
        """Ids of suspects whose running attempt, already counted, was interrupted by the environment."""

    def subscription(self) -> Subscription:
        return Subscription(
            group=self._group,
            receive=self.receive,
            wait_until_ready=self.wait_until_ready,
            lanes=self._consumer.lanes,
            batch_size=self._consumer.batch_size,
        )

    def retry_worker(self) -> PollingWorker:
        worker = PollingWorker(
            f"{self._group}.retries",
            self._retry_due,
            interval_seconds=GrowingInterval(RETRY_INTERVAL_SECONDS, MAX_RETRY_INTERVAL_SECONDS),
            is_due=partial(self._database.exists, inbox_store.DUE, self._group),
        )
        self._database.on_commit(self._deferred, worker.wake)
        return worker

    async def wait_until_ready(self) -> None:
        """Return when the messages that were interrupted can be handled; until then nothing is read from the queue.
        Handling them is the test, because only they show whether their tables can be written. Redelivered, they have
        no second effect."""
        delay_seconds = 0.1
        while True:
            try:
                await self._database.ping()
                await self._handle(self._interrupted)
            except Exception as error:
                if is_environment_fault(error):
                    self.outage.record(error)
                else:
                    log.error("inbox.not_ready", group=self._group, exc_info=error)
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(delay_seconds * 2, MAX_READY_DELAY_SECONDS)
            else:
                self._resume()
                return

    async def receive(self, messages: Sequence[Message]) -> None:
        """Commit each message as done, retry, parked or dead. Raises ConsumerUnavailable by the environment's fault."""
        try:
            await self._handle(messages)
        except Exception as error:
            if not is_environment_fault(error):
                raise
            self._interrupted = self._interrupted or messages
            self.outage.record(error)
            raise ConsumerUnavailable(str(self.outage.failure)) from error
        if any(message in self._interrupted for message in messages):
            self._resume()

    def _resume(self) -> None:
        self._interrupted = ()
        self.outage.end()

    async def _handle(self, messages: Sequence[Message]) -> None:
        suspects = [m for m in messages if m.deliveries >= MAX_BATCHED_DELIVERIES]
        if not suspects and await self._handle_batch(messages):
            return
        for message in messages:
            if message in suspects:
                await self._handle_suspect(message)
            else:
                await self._handle_alone(message)

    async def _handle_suspect(self, message: Message) -> None:
        """Record the attempt before the handler runs, and run it alone: if it crashes the process again, the other
        messages of the batch are not affected and the attempts still count."""
        if not await self._record_attempt(message):
            return
        try:
            await self._handle_alone(message)
        except (Exception, asyncio.CancelledError):
            self._counted.add(message.id)
            raise
        self._counted.discard(message.id)

    async def _handle_batch(self, messages: Sequence[Message]) -> bool:
        """Handle all, or none. False if they failed together and each has to be handled alone."""
        repeatable = self._consumer.repeatable
        if repeatable is not None and await self._commits(repeatable(self._database, messages)):
            metrics.EVENTS_CONSUMED.labels(self._group, "done").inc(len(messages))
            return True
        return await self._commits(self._claim_and_handle(messages))

    async def _commits(self, attempt: Awaitable[bool]) -> bool:
        """Whether the attempt committed. Raises by the environment's fault."""
        try:
            return await attempt
        except Exception as error:
            failure = classify(error)
            if failure.is_environment and failure.reason != TIMED_OUT:
                raise
            log.info("inbox.batch_failed", group=self._group, error=repr(error))
            return False

    async def _claim_and_handle(self, messages: Sequence[Message]) -> bool:
        async with self._database.transaction() as session:
            claimed = await self._handle_claimed(session, messages)
        metrics.EVENTS_CONSUMED.labels(self._group, "done").inc(len(claimed))
        return True

    async def _handle_claimed(self, session: AsyncSession, messages: Sequence[Message]) -> Sequence[Message]:
        claimed = await inbox_store.claim(session, self._group, messages)
        # Grouped by handler, not by type: a handler for several types gets large batches however the types alternate.
        for handler, run in groupby(claimed, key=lambda message: self._consumer.handler_for(message.type)):
            if handler is not None:
                await handler(session, list(run))
        if await inbox_store.wake_parked(session, self._group, claimed):
            signal_on_commit(session, self._deferred)
        return claimed

    async def _handle_alone(self, message: Message) -> None:
        for attempt in range(1, IMMEDIATE_ATTEMPTS + 1):
            try:
                async with self._database.transaction() as session:
                    await self._handle_claimed(session, [message])
            except Exception as error:
                if await self._has_to_wait(error):
                    raise
                if (
                    isinstance(error, (*UNREPEATABLE, TimeoutError))
                    or is_unstorable(error)
                    or attempt == IMMEDIATE_ATTEMPTS
                ):
                    return await self._defer(message, error)
            else:
                metrics.EVENTS_CONSUMED.labels(self._group, "done").inc()
                return None

    async def _has_to_wait(self, error: Exception) -> bool:
        """True by the environment's fault. A timeout is the message's own fault if the database answers quickly."""
        failure = classify(error)
        if failure.reason != TIMED_OUT:
            return failure.is_environment
        try:
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await self._database.ping()
        except Exception:
            return True
        return False

    async def _record_attempt(self, message: Message) -> bool:
        """False if the message is already done or has used up its attempts."""
        async with self._database.transaction() as session:
            is_new = message.id not in self._counted
            status, attempts = await inbox_store.record_attempt(session, self._group, message, is_new=is_new)
            if status in inbox_store.UNCLAIMED and attempts > MAX_ATTEMPTS:
                error = "The consumer process exited while handling this message (attempts exhausted)."
                await inbox_store.mark_dead(session, self._group, message, error)
                metrics.EVENTS_CONSUMED.labels(self._group, "dead").inc()
                return False
            return status in inbox_store.UNCLAIMED

    async def _defer(self, message: Message, error: Exception) -> None:
        """Store a message whose handler failed, with the time of its next attempt if there is one."""
        async with self._database.transaction() as session:
            failed = await inbox_store.count_attempts(session, self._group, message)
            attempts = failed.attempts + 1
            status = _status_after(error, attempts, is_old=failed.is_old)
            signal_on_commit(session, self._deferred)
            await inbox_store.defer(
                session,
                self._group,
                message,
                status=status,
                attempts=attempts,
                delay_seconds=min(2 ** min(attempts, MAX_EXPONENT), MAX_DELAY_SECONDS),
                error=repr(error)[:MAX_ERROR_LENGTH],
            )
        metrics.EVENTS_CONSUMED.labels(self._group, status).inc()
        log_deferred = log.error if status == "dead" else log.warning
        log_deferred(
            "inbox.deferred",
            status=status,
            group=self._group,
            event_id=message.id,
            event_type=message.type,
            attempts=attempts,
            exc_info=error if status != "parked" else None,
        )

    async def _retry_due(self) -> bool:
        async with self._database.transaction() as session:
            due = await inbox_store.lease_due(session, self._group, RETRY_BATCH_SIZE)
        for message in due:
            await self._handle_alone(message)
        return bool(due)


def _status_after(error: Exception, attempts: int, *, is_old: bool) -> str:
    """A parked message waits by time, not by attempts: its predecessor's service or broker may be unavailable."""
    if isinstance(error, PredecessorMissing):
        return "dead" if is_old else "parked"
    is_permanent = isinstance(error, (PermanentFailure, EventTooLarge)) or is_unstorable(error)
    return "dead" if is_permanent or attempts >= MAX_ATTEMPTS else "retry"
