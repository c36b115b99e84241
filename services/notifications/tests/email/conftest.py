"""A mail server on a real socket, which answers as a test says."""

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP


@dataclass
class MailServer:
    """An SMTP server that may be stopped and started, and that answers as a test says."""

    port: int
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers_to_recipient: dict[str, list[str]] = field(default_factory=dict)
    answers_to_data: list[str] = field(default_factory=list)
    breaks_after_data: int = 0
    thinks_seconds: float = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        _, _, envelope, address, _ = call
        if answers := self.answers_to_recipient.get(address):
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if not answer.startswith("250"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802
        server, _, envelope = call
        if self.answers_to_data:
            return self.answers_to_data.pop(0)
        self.received.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.extend(envelope.rcpt_tos)
        if self.breaks_after_data:
            self.breaks_after_data -= 1
            server.transport.abort()
        await asyncio.sleep(self.thinks_seconds)
        return "250 taken"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.test", enable_SMTPUTF8=True), "127.0.0.1", self.port
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def wait_for(self, count: int, seconds: float = 20) -> list[EmailMessage]:
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                await asyncio.sleep(0.02)
        return self.received


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = MailServer(port)
    await server.start()
    yield server
    await server.stop()
