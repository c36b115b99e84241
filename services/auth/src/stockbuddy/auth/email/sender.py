"""Sends the letters that wait; any number of replicas may. Whether a letter's address belongs to anybody is looked up
here, long after the request that asked for it was answered: so that its answer, and its time, can't tell."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.templates import EMAIL_CHANGED, PASSWORD_CHANGED, message_of, reset_text
from stockbuddy.auth.email import queue
from stockbuddy.auth.email.transport import UNDELIVERED, Post
from stockbuddy.auth.email.model import Letter, LetterKind
from stockbuddy.auth.passwords.commands import issue_reset_token
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.system_settings.queries import company_name
from stockbuddy.auth.users.queries import user_by_email
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2
LEASE = timedelta(seconds=60)
GIVE_UP = timedelta(days=1)


class LetterSender:
    def __init__(self, database: Database, post: Post, settings: AuthSettings) -> None:
        self._database = database
        self._post = post
        self._settings = settings
        self._written = asyncio.Event()
        database.on_event_committed(self._written.set)

    async def run(self) -> None:
        """Until cancelled. Every letter is written with an event, whose commit wakes this up at once."""
        while True:
            self._written.clear()
            try:
                while await self._send_next():
                    pass
            except Exception as error:
                if not is_connection_error(error):
                    raise
                log.warning("letters.database_away")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._written.wait()
            except TimeoutError:
                pass  # One may be due again, or another replica may have died over one.

    async def _send_next(self) -> bool:
        """False when none is due. What the letter needs (a reset token) is committed before it leaves."""
        now = datetime.now(UTC)
        async with self._database.transaction() as session:
            letter = await queue.take_letter(session, now, LEASE)
            if letter is None:
                return False
            message = await self._write_out(session, letter)
        if message is not None and not await self._delivered(letter, message) and now - letter.written_at < GIVE_UP:
            return True
        async with self._database.transaction() as session:
            await queue.delete_letter(session, letter.id)
        return True

    async def _delivered(self, letter: Letter, message: EmailMessage) -> bool:
        try:
            await self._post.send(message)
        except UNDELIVERED as error:
            log.warning("letters.not_sent", kind=letter.kind, attempts=letter.attempts, error=repr(error))
            return False
        log.info("letters.sent", kind=letter.kind, letter_request_id=letter.request_id)
        return True

    async def _write_out(self, session: AsyncSession, letter: Letter) -> EmailMessage | None:
        """None when there is nobody to write to."""
        company, sender = await company_name(session), self._settings.mail_from
        if letter.kind is LetterKind.PASSWORD_CHANGED:
            text = PASSWORD_CHANGED.format(company=company)
            return message_of(letter, sender=sender, subject=f"{company}: your password was changed", text=text)
        if letter.kind is LetterKind.EMAIL_CHANGED:
            text = EMAIL_CHANGED.format(company=company)
            return message_of(letter, sender=sender, subject=f"{company}: your address was changed", text=text)
        return await self._write_reset(session, letter, company)

    async def _write_reset(self, session: AsyncSession, letter: Letter, company: str) -> EmailMessage | None:
        settings = self._settings
        user = await user_by_email(session, letter.recipient)
        token = await issue_reset_token(session, user, settings) if user else None
        if user is None or token is None:
            return None
        text = reset_text(
            name=user.full_name or user.username,
            company=company,
            token=token,
            link=settings.password_reset_url,
            minutes=settings.password_reset_seconds // 60,
        )
        return message_of(letter, sender=settings.mail_from, subject=f"{company}: a new password", text=text)
