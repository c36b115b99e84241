"""Delivery of e-mails: by SMTP or, without a server, as files for the operator."""

import asyncio
import os
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from aiosmtplib import SMTPException
from pydantic import SecretStr

from stockbuddy.chassis.smtp import smtp_client

DELIVERY_ERRORS = (SMTPException, OSError, TimeoutError)


class EmailTransport(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Return when the message is accepted. Raises one of DELIVERY_ERRORS."""


def transport_from(smtp_url: SecretStr | None, directory: Path) -> EmailTransport:
    return SmtpTransport(smtp_url.get_secret_value()) if smtp_url else FileTransport(directory)


class SmtpTransport:
    """Raises ValueError if the URL is invalid."""

    def __init__(self, url: str) -> None:
        self._url = url
        smtp_client(url)  # validates the URL at start-up

    async def send(self, message: EmailMessage) -> None:
        async with smtp_client(self._url) as client:
            await client.send_message(message)


class FileTransport:
    """Writes files that only the service's operating system user can read, because e-mails may contain tokens."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def send(self, message: EmailMessage) -> None:
        await asyncio.to_thread(self._write, bytes(message))

    def _write(self, content: bytes) -> None:
        """Rename the file when it is complete, so that readers never see a part of it."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        incomplete = self._directory / f".{name}"
        descriptor = os.open(incomplete, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        incomplete.rename(self._directory / f"{name}.eml")
