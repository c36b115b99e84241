"""The worker that sends queued e-mails; any number of replicas may run it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email import queries, queue
from stockbuddy.auth.email.commands import record_outage, set_aside
from stockbuddy.auth.email.model import QueuedEmail
from stockbuddy.auth.email.transport import EmailTransport
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.chassis.smtp import EmailDeferred

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 2
LEASE = timedelta(seconds=60)
MAX_AGE = timedelta(days=1)

Compose = Callable[[AsyncSession, QueuedEmail], Awaitable[EmailMessage | None]]
"""Builds the message of a queued e-mail; None if it has no recipient."""


class EmailSender:
    """Sends e-mails in order of their due time. One that cannot be composed or that the server rejects is set aside
    with its reason; one that is not accepted at present is retried for a day. While the server is away, all wait."""

    def __init__(self, database: Database, transport: EmailTransport, compose: Compose) -> None:
        self._database = database
        self._transport = transport
        self._compose = compose

    def worker(self) -> PollingWorker:
        """Woken by each queued e-mail. It also polls: a retry may be due, or another replica's lease has expired."""
        worker = PollingWorker(
            "auth.email",
            self._send_next,
            interval_seconds=POLL_INTERVAL_SECONDS,
            is_due=partial(self._database.exists, queries.DUE),
        )
        self._database.on_commit(queue.QUEUED, worker.wake)
        return worker

    async def _send_next(self) -> bool:
        """False if no e-mail is due. Raises an error of the environment after recording it."""
        async with self._database.transaction() as session:
            queued = await queue.lease_next_email(session, clock.now(), LEASE)
        if queued is None:
            return False
        try:
            await self._send(queued)
        except Exception as error:
            await self._record_failure(queued, error)
            if is_environment_fault(error):
                raise
        return True

    async def _send(self, queued: QueuedEmail) -> None:
        """What the e-mail refers to (a token) is committed before it is sent."""
        async with self._database.transaction() as session:
            message = await self._compose(session, queued)

        async def delete() -> None:
            async with self._database.transaction() as session:
                await queue.delete_email(session, queued.id)

        if message is None:
            await delete()
        else:
            await self._transport.send(message, delete)
            log.info("email.sent", kind=queued.kind, queued_by_request_id=queued.request_id)

    async def _record_failure(self, queued: QueuedEmail, error: Exception) -> None:
        now, reason = clock.now(), str(error) or type(error).__name__
        log.warning("email.failed", kind=queued.kind, attempts=queued.attempts, error=repr(error))
        async with self._database.transaction() as session:
            email = await queue.lock_email(session, queued.id)
            if email is None:
                return
            may_succeed = isinstance(error, EmailDeferred) or is_environment_fault(error)
            if not may_succeed or now - email.queued_at >= MAX_AGE:
                set_aside(session, email, reason, now)
            elif isinstance(error, EmailDeferred):
                email.last_error = reason
            else:
                await record_outage(session, email, reason)
