"""Sends queued e-mails over SMTP; several replicas may send concurrently.

An e-mail leaves the queue when the server has responded to it. If the connection or the process fails between that
response and our commit, it is sent a second time, because SMTP cannot query the result. The copy has the same
Message-ID, by which many mailboxes drop it. In all other cases an e-mail is sent once.
"""

from collections.abc import Callable
from email.errors import MessageError
from uuid import uuid4

import structlog
from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker, renewed_lease
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.commands import QUEUED
from stockbuddy.notifications.email.message import compose_message
from stockbuddy.notifications.email.queries import QueuedEmail
from stockbuddy.notifications.replicas.company import get_company

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 1.0
"""Retries become due, and leases of other replicas expire, without a commit of this process."""
LEASE_SECONDS = 120
SMTP_RESPONSE_TIMEOUT_SECONDS = 600
"""Timeout after DATA (RFC 5321 §4.5.3.2.6); a shorter one causes duplicates."""
SHUTDOWN_GRACE_SECONDS = 2
"""For the server's response to an e-mail in flight on shutdown."""
MAX_CONTENTS_PER_MESSAGE = 50
MAX_RETRY_DELAY_SECONDS = 3600
SERVICE_CLOSING = 421


class EmailSender:
    """`sender` is MAIL_FROM. If the process dies, another replica sends the e-mail when the lease has expired."""

    def __init__(
        self,
        database: Database,
        create_client: Callable[[], SMTP],
        sender: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._create_client = create_client
        self._sender = sender
        self._lease_seconds = lease_seconds
        self.worker = PollingWorker(
            "notifications.email",
            self._send_due,
            interval_seconds=POLL_INTERVAL_SECONDS,
            shutdown_seconds=SHUTDOWN_GRACE_SECONDS,
        )
        database.on_commit(QUEUED, self.worker.wake)

    async def _send_due(self) -> None:
        """Nothing is leased unless the server accepts a connection."""
        async with self._database.reading() as session:
            if not await queries.has_due(session):
                return
        client = self._create_client()
        try:
            await client.connect()
            while not self.worker.is_stopping and (email := await self._lease_next()) is not None:
                await self._send(client, email)
            await client.quit()
        except SMTPException as error:
            raise DependencyUnavailable(f"SMTP server: {error!r}") from error
        finally:
            client.close()

    async def _lease_next(self) -> QueuedEmail | None:
        domain = self._sender.rpartition("@")[2].rstrip("> ") or "localhost"
        async with self._database.transaction() as session:
            return await queries.lease_next(
                session,
                message_id=f"<{uuid4()}@{domain}>",
                limit=MAX_CONTENTS_PER_MESSAGE,
                lease_seconds=self._lease_seconds,
            )

    async def _send(self, client: SMTP, email: QueuedEmail) -> None:
        """Raises SMTPException, after rescheduling the e-mail, if the server is unavailable."""
        async with self._database.reading() as session:
            company = await get_company(session)

        async def renew() -> None:
            async with self._database.transaction() as session:
                await queries.renew_lease(session, email.message_id, self._lease_seconds)

        try:
            async with renewed_lease(self._lease_seconds, renew):
                message = compose_message(email, sender=self._sender, company=company.name)
                await client.send_message(message, timeout=SMTP_RESPONSE_TIMEOUT_SECONDS)
        except (ValueError, MessageError) as error:
            await self._fail(email, error)
        except SMTPException as error:
            await self._handle_failure(email, error)
            if _is_unavailable(error):
                raise
        else:
            async with self._database.transaction() as session:
                await queries.complete(session, email.message_id, "sent")

    async def _handle_failure(self, email: QueuedEmail, error: SMTPException) -> None:
        if _is_permanent(error):
            await self._fail(email, error)
            return
        delay_seconds = min(5 * 4 ** (email.attempts - 1), MAX_RETRY_DELAY_SECONDS)
        async with self._database.transaction() as session:
            await queries.reschedule(session, email.message_id, delay_seconds, repr(error))

    async def _fail(self, email: QueuedEmail, error: Exception) -> None:
        log.error("email.failed", message_id=email.message_id, kind=email.kind, error=repr(error))
        async with self._database.transaction() as session:
            await queries.complete(session, email.message_id, "failed", repr(error))


def _is_permanent(error: SMTPException) -> bool:
    """True if the server will never accept this e-mail: 5xx (RFC 5321 §4.2.1). A rejected sender address is a
    configuration error, which an operator can fix."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(rejection.code >= 500 for rejection in error.recipients)
    if isinstance(error, SMTPResponseException):
        return error.code >= 500 and not isinstance(error, SMTPSenderRefused)
    return isinstance(error, SMTPNotSupported)


def _is_unavailable(error: SMTPException) -> bool:
    if isinstance(error, SMTPResponseException):
        return error.code == SERVICE_CLOSING
    return not isinstance(error, (SMTPRecipientsRefused, SMTPNotSupported))
