"""Delivery of e-mails: by SMTP or, without a server, as files for the operator."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from aiosmtplib import SMTP, SMTPException

from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.smtp import connect, send

OnAccepted = Callable[[], Awaitable[None]]
"""Records that the message is accepted. Called at once, because a crash in between sends the e-mail again."""


class EmailTransport(Protocol):
    async def send(self, message: EmailMessage, on_accepted: OnAccepted) -> None:
        """Raises EmailRejected, EmailDeferred, or an error of the environment."""


def transport_from(settings: AuthSettings) -> EmailTransport:
    return SmtpTransport(settings.smtp_client) if settings.smtp_url else FileTransport(settings.mail_outbox)


class SmtpTransport:
    """Raises ValueError if the URL is invalid."""

    def __init__(self, create_client: Callable[[], SMTP]) -> None:
        self._create_client = create_client
        create_client()  # validates the URL at start-up

    async def send(self, message: EmailMessage, on_accepted: OnAccepted) -> None:
        client = self._create_client()
        await connect(client)
        try:
            await send(client, message)
            await on_accepted()
            with contextlib.suppress(SMTPException, OSError):  # the message is accepted already
                await client.quit()
        finally:
            client.close()


class FileTransport:
    """Writes files that only the service's operating system user can read, because e-mails may contain tokens."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def send(self, message: EmailMessage, on_accepted: OnAccepted) -> None:
        await asyncio.to_thread(self._write, bytes(message))
        await on_accepted()

    def _write(self, content: bytes) -> None:
        """Rename the file when it is complete, so that readers never see a part of it."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        incomplete = self._directory / f".{name}"
        descriptor = os.open(incomplete, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        incomplete.rename(self._directory / f"{name}.eml")
