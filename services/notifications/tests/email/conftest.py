"""An SMTP server on a real socket whose responses a test sets."""

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
    """An SMTP server that a test may stop and start, and whose responses it sets."""

    port: int
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    responses_to_recipient: dict[str, list[str]] = field(default_factory=dict)
    responses_to_data: list[str] = field(default_factory=list)
    breaks_after_data: int = 0
    response_delay_seconds: float = 0
    has_refused: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        _, _, envelope, address, _ = call
        if responses := self.responses_to_recipient.get(address):
            response = responses.pop(0) if len(responses) > 1 else responses[0]
            if not response.startswith("250"):
                return response
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802 - as above
        server, _, envelope = call
        if self.responses_to_data:
            return self.responses_to_data.pop(0)
        self.received.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.extend(envelope.rcpt_tos)
        if self.breaks_after_data:
            self.breaks_after_data -= 1
            server.transport.abort()
        await asyncio.sleep(self.response_delay_seconds)
        return "250 accepted"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.test", enable_SMTPUTF8=True), "127.0.0.1", self.port
        )

    async def refuse(self) -> None:
        """Close every connection without a greeting, until `stop`."""

        async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            self.has_refused.set()

        self._server = await asyncio.start_server(close, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def wait_for(self, count: int, seconds: float = 60) -> list[EmailMessage]:
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
