"""Sends queued e-mails over SMTP; several replicas may send concurrently.

An e-mail leaves the queue when the server has responded to it. If the connection or the process fails between that
response and our commit, it is sent a second time, because SMTP cannot query the result. The copy has the same
Message-ID, by which many mailboxes drop it. In all other cases an e-mail is sent once.
"""

from email.utils import parseaddr
from uuid import uuid4

import structlog
from aiosmtplib import SMTP, SMTPException

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker, renewed_lease
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.chassis.smtp import EmailDeferred, SmtpUnavailable, connect, send
from stockbuddy.notifications.email import commands, queries
from stockbuddy.notifications.email.commands import QUEUED
from stockbuddy.notifications.email.message import compose_message
from stockbuddy.notifications.email.queries import LeasedEmail
from stockbuddy.notifications.replicas.company import get_company
from stockbuddy.notifications.settings import NotificationsSettings

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 1.0
"""Retries become due, and leases of other replicas expire, without a commit of this process."""
LEASE_SECONDS = 120
SHUTDOWN_GRACE_SECONDS = 2
"""For the server's response to an e-mail in flight on shutdown."""
MAX_CONTENTS_PER_MESSAGE = 50
MAX_RETRY_DELAY_SECONDS = 3600


class EmailSender:
    """An e-mail that cannot be composed or that the server rejects is set aside with its reason, and the next one is
    sent. While the server is unavailable, all wait. If the process dies, another replica sends the e-mail when the
    lease has expired."""

    def __init__(
        self, database: Database, settings: NotificationsSettings, *, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._database = database
        self._settings = settings
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
        if not await self._database.exists(queries.DUE):
            return
        client = self._settings.smtp_client()
        try:
            await connect(client)
            while not self.worker.is_stopping and (email := await self._lease_next()) is not None:
                await self._send(client, email)
            await _quit(client)
        except SmtpUnavailable as error:
            async with self._database.transaction() as session:
                await commands.record_outage(session, str(error))
            raise
        finally:
            client.close()

    async def _lease_next(self) -> LeasedEmail | None:
        domain = parseaddr(self._settings.mail_from)[1].rpartition("@")[2] or "localhost"
        async with self._database.transaction() as session:
            return await queries.lease_next(
                session,
                message_id=f"<{uuid4()}@{domain}>",
                limit=MAX_CONTENTS_PER_MESSAGE,
                lease_seconds=self._lease_seconds,
            )

    async def _send(self, client: SMTP, email: LeasedEmail) -> None:
        """Raises an error of the environment, after rescheduling the e-mail if it was the server's."""
        try:
            await self._compose_and_send(client, email)
        except EmailDeferred as error:
            await self._reschedule(email, error)
        except SmtpUnavailable as error:
            async with self._database.transaction() as session:
                await commands.record_outage(session, str(error))
            await self._reschedule(email, error)
            raise
        except Exception as error:
            if is_environment_fault(error):
                raise
            log.warning("email.failed", message_id=email.message_id, kind=email.kind, error=repr(error))
            async with self._database.transaction() as session:
                await commands.set_aside(session, email, str(error) or type(error).__name__)
        else:
            async with self._database.transaction() as session:
                await queries.complete(session, email.message_id, "sent")

    async def _compose_and_send(self, client: SMTP, email: LeasedEmail) -> None:
        async with self._database.reading() as session:
            company = await get_company(session)

        async def renew() -> None:
            async with self._database.transaction() as session:
                await queries.renew_lease(session, email.message_id, self._lease_seconds)

        async with renewed_lease(self._lease_seconds, renew):
            message = compose_message(
                email,
                sender=self._settings.mail_from,
                company=company.name,
                public_url=self._settings.public_url,
            )
            await send(client, message)

    async def _reschedule(self, email: LeasedEmail, error: Exception) -> None:
        delay_seconds = min(5 * 4 ** (email.attempts - 1), MAX_RETRY_DELAY_SECONDS)
        async with self._database.transaction() as session:
            await queries.reschedule(session, email.message_id, delay_seconds, str(error))


async def _quit(client: SMTP) -> None:
    try:
        await client.quit()
    except SMTPException as error:
        log.info("email.quit_failed", error=repr(error))  # all e-mails have been accepted
