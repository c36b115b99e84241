"""Idempotent consumer: a message's effect and its `done` row commit in one transaction, so redelivery has no effect.

A failing handler is retried twice at once, then later with exponential backoff (`retry`); after MAX_ATTEMPTS, or if it
can never succeed, the message is kept as `dead` for an operator. A message that arrives before its predecessor is
`parked`, and retried whenever another message with the same partition key completes. All of this state is in
PostgreSQL, so it is the same for every broker and visible in SQL.
"""

import asyncio
from collections.abc import Sequence
from itertools import groupby

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import inbox_store
from stockbuddy.chassis.messaging.bus import ConsumerUnavailable, Message, Subscription
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, PredecessorMissing
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import is_connection_error

log = structlog.get_logger(__name__)

IMMEDIATE_ATTEMPTS = 3
MAX_ATTEMPTS = 12
MAX_DELAY_SECONDS = 3600
MAX_ERROR_LENGTH = 2000
RETRY_INTERVAL_SECONDS = 1.0
RETRY_BATCH_SIZE = 50
MAX_BATCHED_DELIVERIES = 2
"""A message delivered this often without an acknowledgement may have crashed its consumer: it is then handled alone."""


class Inbox:
    """One consumer group's inbox in its service's database."""

    def __init__(self, database: Database, consumer: Consumer) -> None:
        self._database = database
        self._consumer = consumer
        self._group = consumer.group

    def subscription(self) -> Subscription:
        return Subscription(
            group=self._group,
            receive=self.receive,
            wait_until_ready=self.wait_until_ready,
            lanes=self._consumer.lanes,
            batch_size=self._consumer.batch_size,
        )

    def retry_worker(self) -> PollingWorker:
        return PollingWorker(f"{self._group}.retries", self._retry_due, interval_seconds=RETRY_INTERVAL_SECONDS)

    async def wait_until_ready(self) -> None:
        """Return as soon as the database answers."""
        delay_seconds = 0.1
        while True:
            try:
                return await self._database.ping()
            except Exception as error:
                log.warning("inbox.database_unavailable", group=self._group, error=repr(error))
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(delay_seconds * 2, 2.0)

    async def receive(self, messages: Sequence[Message]) -> None:
        """Commit each message as done, retry, parked or dead. Raises ConsumerUnavailable if the database is."""
        try:
            suspects = [m for m in messages if m.deliveries >= MAX_BATCHED_DELIVERIES]
            if not suspects and await self._handle_batch(messages):
                return
            for message in messages:
                # Its attempt is recorded before the handler runs, and it runs alone: if it crashes the process again,
                # the other messages of the batch are not affected and the attempts still count.
                if message in suspects and not await self._record_attempt(message):
                    continue
                await self._handle_alone(message)
        except Exception as error:
            if is_connection_error(error):
                raise ConsumerUnavailable(repr(error)) from error
            raise

    async def _handle_batch(self, messages: Sequence[Message]) -> bool:
        """Handle all in one transaction. False if it failed and was rolled back."""
        try:
            async with self._database.transaction() as session:
                claimed = await self._handle_claimed(session, messages)
        except Exception as error:
            if is_connection_error(error):
                raise
            return False
        metrics.EVENTS_CONSUMED.labels(self._group, "done").inc(len(claimed))
        return True

    async def _handle_claimed(self, session: AsyncSession, messages: Sequence[Message]) -> Sequence[Message]:
        claimed = await inbox_store.claim(session, self._group, messages)
        # Grouped by handler, not by type: a handler for several types gets large batches however the types alternate.
        for handler, run in groupby(claimed, key=lambda message: self._consumer.handler_for(message.type)):
            if handler is not None:
                await handler(session, list(run))
        await inbox_store.wake_parked(session, self._group, claimed)
        return claimed

    async def _handle_alone(self, message: Message) -> None:
        for attempt in range(1, IMMEDIATE_ATTEMPTS + 1):
            try:
                async with self._database.transaction() as session:
                    await self._handle_claimed(session, [message])
            except Exception as error:
                if is_connection_error(error):
                    raise
                if isinstance(error, (PredecessorMissing, PermanentFailure)) or attempt == IMMEDIATE_ATTEMPTS:
                    return await self._defer(message, error)
            else:
                metrics.EVENTS_CONSUMED.labels(self._group, "done").inc()
                return None

    async def _record_attempt(self, message: Message) -> bool:
        """False if the message is already done or has used up its attempts."""
        async with self._database.transaction() as session:
            status, attempts = await inbox_store.record_attempt(session, self._group, message)
            if status in inbox_store.UNCLAIMED and attempts > MAX_ATTEMPTS:
                error = "The consumer process exited while handling this message (attempts exhausted)."
                await inbox_store.mark_dead(session, self._group, message, error)
                metrics.EVENTS_CONSUMED.labels(self._group, "dead").inc()
                return False
            return status in inbox_store.UNCLAIMED

    async def _defer(self, message: Message, error: Exception) -> None:
        """Store a message whose handler failed, with the time of its next attempt if there is one."""
        async with self._database.transaction() as session:
            attempts = await inbox_store.count_attempts(session, self._group, message) + 1
            status = _status_after(error, attempts)
            await inbox_store.defer(
                session,
                self._group,
                message,
                status=status,
                attempts=attempts,
                delay_seconds=min(2**attempts, MAX_DELAY_SECONDS),
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


def _status_after(error: Exception, attempts: int) -> str:
    if isinstance(error, PermanentFailure) or attempts >= MAX_ATTEMPTS:
        return "dead"
    return "parked" if isinstance(error, PredecessorMissing) else "retry"
