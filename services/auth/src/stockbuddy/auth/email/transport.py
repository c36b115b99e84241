"""How a letter leaves: by SMTP, or, where no server is set, as a file that the operator finds."""

import asyncio
import os
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPException

ANSWER_SECONDS = 20
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

UNDELIVERED = (SMTPException, OSError, TimeoutError)
"""What a failed delivery raises."""


class Post(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Returns when the message is in other hands. Raises one of UNDELIVERED."""


def post_of(smtp_url: str | None, outbox: Path) -> Post:
    return SmtpPost(smtp_url) if smtp_url else OutboxDirectory(outbox)


class SmtpPost:
    """`smtp://[user:password@]host[:port]` uses TLS when the server offers it, `smtp+starttls` insists on it,
    `smtps` speaks TLS from the first byte."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        if self._parts.scheme not in PORTS or not self._parts.hostname:
            raise ValueError("SMTP_URL is smtp://, smtp+starttls:// or smtps://[user:password@]host[:port]")

    async def send(self, message: EmailMessage) -> None:
        parts = self._parts
        server = SMTP(
            hostname=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=True if parts.scheme == "smtp+starttls" else None,
            timeout=ANSWER_SECONDS,
        )
        async with server:
            await server.send_message(message)


class OutboxDirectory:
    """Letters may hold secrets, so nobody but the service's own user may read them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def send(self, message: EmailMessage) -> None:
        await asyncio.to_thread(self._write, bytes(message))

    def _write(self, content: bytes) -> None:
        """Under its final name the file is complete."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        unfinished = self._directory / f".{name}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.rename(self._directory / f"{name}.eml")
