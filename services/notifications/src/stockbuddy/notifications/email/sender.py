"""Sends what is queued, as long as there is a mail server; any number of replicas may.

A mail leaves the queue when the server has answered for it. If the connection or this process dies between that answer
and our commit, the mail goes out a second time: SMTP has no way to ask. It then bears the same Message-ID, by which
many mailboxes drop it. Everything else sends a mail once.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from email.errors import MessageError
from typing import Any
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
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.message import compose
from stockbuddy.notifications.email.queries import QueuedMail
from stockbuddy.notifications.email.server import mail_server
from stockbuddy.notifications.news import on_news
from stockbuddy.notifications.replicas.users import company

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
LEASE_SECONDS = 120
THINKING_SECONDS = 600
"""So long may a server take to answer for a mail (RFC 5321 §4.5.3.2.6); whoever gives up earlier sends it twice."""
MOST_IN_ONE = 50
LEAVE_SECONDS = 2
SERVICE_CLOSING = 421
LONGEST_PAUSE_SECONDS = 3600


class MailSender:
    """`smtp_url` and `sender` are SMTP_URL and MAIL_FROM; a mail that we die with is another's after the lease."""

    def __init__(self, database: Database, smtp_url: str, sender: str, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._smtp_url = smtp_url
        self._sender = sender
        self._lease_seconds = lease_seconds
        self._news = asyncio.Event()
        on_news(database, self._news.set)

    async def run(self) -> None:
        """Until cancelled. While the server is away, nothing is taken from the queue."""
        failures = 0
        while True:
            self._news.clear()
            try:
                await self._send_due()
                failures = 0
            except (SMTPException, OSError, TimeoutError) as error:
                failures += 1
                log.warning("mail.server_away", error=repr(error), failures=failures)
            except Exception as error:
                if not is_connection_error(error):
                    raise
                log.warning("mail.database_away", error=repr(error))
            await self._rest(failures)

    async def _rest(self, failures: int) -> None:
        """Until there is news, or something may have become due; longer while the server is away."""
        if failures:
            await asyncio.sleep(LOOK_SECONDS * min(2**failures, 60))
            return
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _send_due(self) -> None:
        if not await self._anything_due():
            return
        server = mail_server(self._smtp_url)
        await server.connect()
        try:
            while (mail := await self._take()) is not None:
                await _finish_before_leaving(self._send(server, mail))
            await server.quit()
        finally:
            server.close()

    async def _anything_due(self) -> bool:
        async with self._database.reading() as session:
            return await queries.anything_due(session)

    async def _take(self) -> QueuedMail | None:
        domain = self._sender.rpartition("@")[2].rstrip("> ") or "localhost"
        async with self._database.transaction() as session:
            return await queries.take_next(
                session, message_id=f"<{uuid4()}@{domain}>", most=MOST_IN_ONE, lease_seconds=self._lease_seconds
            )

    async def _send(self, server: SMTP, mail: QueuedMail) -> None:
        """Raises what means that the server is away, once the mail is back in the queue."""
        async with self._database.reading() as session:
            sender_name = (await company(session)).name
        try:
            async with self._held(mail):
                message = compose(mail, sender=self._sender, company=sender_name)
                await server.send_message(message, timeout=THINKING_SECONDS)
        except (ValueError, MessageError) as error:
            await self._give_up(mail, error)
        except SMTPException as error:
            await self._after_failure(mail, error)
            if _is_away(error):
                raise
        else:
            async with self._database.transaction() as session:
                await queries.finish(session, mail.message_id, "sent")

    @asynccontextmanager
    async def _held(self, mail: QueuedMail) -> AsyncIterator[None]:
        """Others leave it alone for as long as the server thinks about it."""
        holding = asyncio.create_task(self._hold(mail))
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _hold(self, mail: QueuedMail) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            async with self._database.transaction() as session:
                await queries.hold(session, mail.message_id, self._lease_seconds)

    async def _after_failure(self, mail: QueuedMail, error: SMTPException) -> None:
        if _is_final(error):
            await self._give_up(mail, error)
            return
        pause_seconds = min(5 * 4 ** (mail.attempts - 1), LONGEST_PAUSE_SECONDS)
        async with self._database.transaction() as session:
            await queries.postpone(session, mail.message_id, pause_seconds, repr(error))

    async def _give_up(self, mail: QueuedMail, error: Exception) -> None:
        log.error("mail.given_up", message_id=mail.message_id, kind=mail.kind, error=repr(error))
        async with self._database.transaction() as session:
            await queries.finish(session, mail.message_id, "failed", repr(error))


async def _finish_before_leaving(sending: Coroutine[Any, Any, None]) -> None:
    """A mail that is on its way when we are told to stop gets a little time to be answered for and noted."""
    task = asyncio.create_task(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LEAVE_SECONDS)
        raise
    finally:
        task.cancel()


def _is_final(error: SMTPException) -> bool:
    """The server will never take this mail: 5xx (RFC 5321 §4.2.1), unless it is the sender that it dislikes, which
    is for the operator to mend."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(refusal.code >= 500 for refusal in error.recipients)
    if isinstance(error, SMTPResponseException):
        return error.code >= 500 and not isinstance(error, SMTPSenderRefused)
    return isinstance(error, SMTPNotSupported)


def _is_away(error: SMTPException) -> bool:
    if isinstance(error, SMTPResponseException):
        return error.code == SERVICE_CLOSING
    return not isinstance(error, (SMTPRecipientsRefused, SMTPNotSupported))
