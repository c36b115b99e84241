"""The worker that sends queued e-mails; any number of replicas may run it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email import queue
from stockbuddy.auth.email.model import QueuedEmail
from stockbuddy.auth.email.transport import DELIVERY_ERRORS, EmailTransport
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 2
LEASE = timedelta(seconds=60)
MAX_AGE = timedelta(days=1)

Compose = Callable[[AsyncSession, QueuedEmail], Awaitable[EmailMessage | None]]
"""Builds the message of a queued e-mail; None if it has no recipient."""


class EmailSender:
    """Sends e-mails in order of their due time; a failed one is retried for a day."""

    def __init__(self, database: Database, transport: EmailTransport, compose: Compose) -> None:
        self._database = database
        self._transport = transport
        self._compose = compose

    def worker(self) -> PollingWorker:
        """Woken by each queued e-mail. It also polls: a retry may be due, or another replica's lease has expired."""
        worker = PollingWorker("auth.email", self._send_next, interval_seconds=POLL_INTERVAL_SECONDS)
        self._database.on_commit(queue.QUEUED, worker.wake)
        return worker

    async def _send_next(self) -> bool:
        """False if no e-mail is due. What the e-mail refers to (a reset token) is committed before it is sent."""
        now = datetime.now(UTC)
        async with self._database.transaction() as session:
            queued = await queue.lease_next_email(session, now, LEASE)
            if queued is None:
                return False
            message = await self._compose(session, queued)
        if message is None or await self._deliver(queued, message) or now - queued.queued_at >= MAX_AGE:
            async with self._database.transaction() as session:
                await queue.delete_email(session, queued.id)
        return True

    async def _deliver(self, queued: QueuedEmail, message: EmailMessage) -> bool:
        try:
            await self._transport.send(message)
        except DELIVERY_ERRORS as error:
            log.warning("email.delivery_failed", kind=queued.kind, attempts=queued.attempts, error=repr(error))
            return False
        log.info("email.sent", kind=queued.kind, queued_by_request_id=queued.request_id)
        return True
