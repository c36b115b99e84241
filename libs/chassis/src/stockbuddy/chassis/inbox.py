"""The consuming side: makes each message's effect happen once, in one transaction with the note that it did.

A message that was handled is a row `done` and is dropped when it comes again. A handler that fails is tried twice more
at once, then later with growing pauses (`retry`), and after that, or when it can never succeed, kept as `dead` for an
operator. A step whose predecessor is missing waits as `parked` until something else of its partition key is done.
All of this state lives in PostgreSQL: the same on every broker, and visible in SQL.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import structlog
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis import metrics
from stockbuddy.chassis.bus import Message, ReceiverAway, Subscription
from stockbuddy.chassis.database import Database, is_database_away
from stockbuddy.chassis.origin import Origin, originating
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.topology import matches

log = structlog.get_logger(__name__)

ATTEMPTS_AT_ONCE = 3
ATTEMPTS_IN_ALL = 12
LONGEST_PAUSE_SECONDS = 3600
RETRY_POLL_SECONDS = 1.0
RETRY_BATCH = 50
DELIVERIES_BEFORE_ALONE = 2

E_ = TypeVar("E_", bound=Event)
Handler = Callable[[AsyncSession, Sequence[Message]], Awaitable[None]]
"""Makes the effect of some messages, in order, within the session's transaction. They are of one type unless the
handler is registered for several."""


class Park(Exception):
    """What this message builds on has not arrived yet; try again when more of its partition key has."""


class Hopeless(Exception):
    """This message can never be handled, however often it is tried."""


def each(event_type: type[E_], handle: Callable[[AsyncSession, E_], Awaitable[None]]) -> Handler:
    """A handler that sees one event at a time, as caused by whoever caused the event."""

    async def handle_each(session: AsyncSession, messages: Sequence[Message]) -> None:
        for message in messages:
            event = decode(event_type, message)
            with originating(origin_of(message)):
                await handle(session, event)

    return handle_each


def batch(event_type: type[E_], handle: Callable[[AsyncSession, Sequence[E_]], Awaitable[None]]) -> Handler:
    """A handler that takes a run of events in one go."""

    async def handle_batch(session: AsyncSession, messages: Sequence[Message]) -> None:
        await handle(session, [decode(event_type, message) for message in messages])

    return handle_batch


def decode(event_type: type[E_], message: Message) -> E_:
    try:
        return event_type.model_validate_json(message.body)
    except ValidationError as error:
        raise Hopeless(f"not a {message.type}: {error}") from error


def origin_of(message: Message) -> Origin:
    actor = message.headers.get("actorid")
    return Origin(
        actor_id=int(actor) if actor else None,
        actor_name=message.headers.get("actorname"),
        client_ip=message.headers.get("clientip"),
        request_id=message.headers.get("requestid"),
        traceparent=message.headers.get("traceparent"),
    )


@dataclass(frozen=True, slots=True)
class Consumer:
    """A row of a service's table of subscriptions: the queue of `group`, and what handles each type (or pattern)."""

    group: str
    handlers: Mapping[str, Handler]
    lanes: int = 4
    batch_size: int = 50

    def handler_for(self, event_type: str) -> Handler | None:
        exact = self.handlers.get(event_type)
        if exact is not None:
            return exact
        return next((h for pattern, h in self.handlers.items() if matches(pattern, event_type)), None)


class Inbox:
    """One consumer group's inbox in its service's database."""

    def __init__(self, database: Database, consumer: Consumer) -> None:
        self._database = database
        self._consumer = consumer

    def subscription(self) -> Subscription:
        return Subscription(
            group=self._consumer.group,
            receive=self.receive,
            wait_until_able=self.wait_until_able,
            lanes=self._consumer.lanes,
            batch_size=self._consumer.batch_size,
        )

    async def wait_until_able(self) -> None:
        pause_seconds = 0.1
        while True:
            try:
                return await self._database.ping()
            except Exception as error:
                log.warning("inbox.database_away", group=self._consumer.group, error=repr(error))
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, 2.0)

    async def receive(self, messages: Sequence[Message]) -> None:
        """Commit each message as done, retry, parked or dead. Raises ReceiverAway when the database is away."""
        try:
            suspects = [m for m in messages if m.deliveries >= DELIVERIES_BEFORE_ALONE]
            if not suspects and await self._handle_together(messages):
                return
            for message in messages:
                # A message that keeps coming back may be what kills the process: its attempt is on record before
                # it runs, and it runs alone, so that its neighbours do not share its fate.
                if message in suspects and not await self._record_attempt(message):
                    continue
                await self._handle_alone(message)
        except Exception as error:
            if is_database_away(error):
                raise ReceiverAway(repr(error)) from error
            raise

    async def _handle_together(self, messages: Sequence[Message]) -> bool:
        """All in one transaction; false when that failed and nothing of it remains."""
        try:
            async with self._database.transaction() as session:
                fresh = await _claim(session, self._consumer.group, messages)
                await self._run_handlers(session, fresh)
                await _wake_parked(session, self._consumer.group, fresh)
        except Exception as error:
            if is_database_away(error):
                raise
            return False
        metrics.EVENTS_CONSUMED.labels(self._consumer.group, "done").inc(len(fresh))
        return True

    async def _run_handlers(self, session: AsyncSession, messages: Sequence[Message]) -> None:
        # By handler, not by type: one that hears many types is to get large batches, however the types alternate.
        for handler, run in groupby(messages, key=lambda message: self._consumer.handler_for(message.type)):
            if handler is not None:
                await handler(session, list(run))

    async def _handle_alone(self, message: Message) -> None:
        for attempt in range(1, ATTEMPTS_AT_ONCE + 1):
            try:
                async with self._database.transaction() as session:
                    if fresh := await _claim(session, self._consumer.group, [message]):
                        await self._run_handlers(session, fresh)
                        await _wake_parked(session, self._consumer.group, fresh)
            except Exception as error:
                if is_database_away(error):
                    raise
                if isinstance(error, (Park, Hopeless)) or attempt == ATTEMPTS_AT_ONCE:
                    return await self._set_aside(message, error)
            else:
                metrics.EVENTS_CONSUMED.labels(self._consumer.group, "done").inc()
                return None

    async def _record_attempt(self, message: Message) -> bool:
        """Count an attempt before it is made; false when the message is finished with or has had its chances."""
        async with self._database.transaction() as session:
            row = (await session.execute(_RECORD_ATTEMPT, _row(self._consumer.group, message))).one()
            if row.status in ("retry", "parked") and row.attempts > ATTEMPTS_IN_ALL:
                await session.execute(
                    _BURY, {"consumer": self._consumer.group, "event_id": message.id, "error": "kills its process"}
                )
                metrics.EVENTS_CONSUMED.labels(self._consumer.group, "dead").inc()
                return False
            return row.status in ("retry", "parked")

    async def _set_aside(self, message: Message, error: Exception) -> None:
        """Keep a message that could not be handled now, and say when it is tried again, if ever."""
        async with self._database.transaction() as session:
            attempts = await session.scalar(
                _ATTEMPTS_SO_FAR, {"consumer": self._consumer.group, "event_id": message.id}
            )
            attempts = (attempts or 0) + 1
            status = _status_after(error, attempts)
            await session.execute(
                _SET_ASIDE,
                _row(self._consumer.group, message)
                | {
                    "status": status,
                    "attempts": attempts,
                    "pause_seconds": min(2**attempts, LONGEST_PAUSE_SECONDS),
                    "error": repr(error)[:2000],
                },
            )
        metrics.EVENTS_CONSUMED.labels(self._consumer.group, status).inc()
        say = log.error if status == "dead" else log.warning
        say(
            "inbox.set_aside",
            status=status,
            group=self._consumer.group,
            event_id=message.id,
            event_type=message.type,
            attempts=attempts,
            exc_info=error if status != "parked" else None,
        )

    async def run_retries(self) -> None:
        """Until cancelled: try again what is due."""
        while True:
            try:
                tried = await self._retry_due()
            except Exception as error:
                if not is_database_away(error):
                    raise
                await self.wait_until_able()
                continue
            if not tried:
                await asyncio.sleep(RETRY_POLL_SECONDS)

    async def _retry_due(self) -> int:
        async with self._database.transaction() as session:
            rows = (await session.execute(_TAKE_DUE, {"consumer": self._consumer.group, "batch": RETRY_BATCH})).all()
        for row in rows:
            await self._handle_alone(_message(row.message))
        return len(rows)


def _status_after(error: Exception, attempts: int) -> str:
    if isinstance(error, Hopeless) or attempts >= ATTEMPTS_IN_ALL:
        return "dead"
    return "parked" if isinstance(error, Park) else "retry"


async def _claim(session: AsyncSession, group: str, messages: Sequence[Message]) -> list[Message]:
    """Note the messages as done by this transaction; those that nobody has done before, in order."""
    claimed = await session.scalars(
        _CLAIM,
        {
            "consumer": group,
            "event_ids": [m.id for m in messages],
            "keys": [m.partition_key for m in messages],
        },
    )
    fresh_ids = set(claimed)
    unique = {message.id: message for message in messages}
    return [message for message in unique.values() if message.id in fresh_ids]


async def _wake_parked(session: AsyncSession, group: str, messages: Sequence[Message]) -> None:
    if messages:
        await session.execute(_WAKE_PARKED, {"consumer": group, "keys": [m.partition_key for m in messages]})


def _row(group: str, message: Message) -> dict[str, Any]:
    return {
        "consumer": group,
        "event_id": message.id,
        "partition_key": message.partition_key,
        "message": json.dumps(
            {
                "id": message.id,
                "type": message.type,
                "headers": dict(message.headers),
                "body": message.body.decode("utf-8", "replace"),
            }
        ),
    }


def _message(document: str) -> Message:
    stored = json.loads(document)
    return Message(stored["id"], stored["type"], stored["headers"], stored["body"].encode())


# A row in `retry` or `parked` is claimed by whoever handles it next: by the retry loop, or by a redelivery.
_CLAIM = text("""
    INSERT INTO inbox AS i (consumer, event_id, status, partition_key)
    SELECT :consumer, e.event_id, 'done', e.key
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:keys AS text[])) AS e(event_id, key)
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET status = 'done', message = NULL, last_error = NULL, updated_at = now()
        WHERE i.status IN ('retry', 'parked')
    RETURNING CAST(event_id AS text)
""")
_RECORD_ATTEMPT = text("""
    INSERT INTO inbox AS i (consumer, event_id, status, partition_key, message, attempts, next_attempt_at)
    VALUES (:consumer, CAST(:event_id AS uuid), 'retry', :partition_key, :message, 1, now() + interval '1 minute')
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET attempts = i.attempts + 1, next_attempt_at = now() + interval '1 minute', updated_at = now()
    RETURNING status, attempts
""")
_BURY = text("""
    UPDATE inbox SET status = 'dead', last_error = :error, updated_at = now()
    WHERE consumer = :consumer AND event_id = CAST(:event_id AS uuid)
""")
_ATTEMPTS_SO_FAR = text("""
    SELECT attempts FROM inbox WHERE consumer = :consumer AND event_id = CAST(:event_id AS uuid) FOR UPDATE
""")
_SET_ASIDE = text("""
    INSERT INTO inbox AS i (consumer, event_id, status, partition_key, message, attempts, next_attempt_at, last_error)
    VALUES (:consumer, CAST(:event_id AS uuid), :status, :partition_key, :message, :attempts,
            now() + make_interval(secs => :pause_seconds), :error)
    ON CONFLICT (consumer, event_id) DO UPDATE
        SET status = excluded.status, message = excluded.message, attempts = excluded.attempts,
            next_attempt_at = excluded.next_attempt_at, last_error = excluded.last_error, updated_at = now()
        WHERE i.status <> 'done'
""")
_WAKE_PARKED = text("""
    UPDATE inbox SET next_attempt_at = now()
    WHERE consumer = :consumer AND status = 'parked' AND partition_key = ANY(:keys)
""")
# Taking a row moves it a minute ahead, so that another replica leaves it alone while this one works on it.
_TAKE_DUE = text("""
    UPDATE inbox SET next_attempt_at = now() + interval '1 minute'
    WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM inbox
        WHERE consumer = :consumer AND status IN ('retry', 'parked') AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING message
""")
