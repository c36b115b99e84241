"""A mail server that accepts every e-mail and keeps it for a test."""

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP

RECEIVE_TIMEOUT_SECONDS = 90
_TOKEN = re.compile(r"#token=(\S+)")


@dataclass
class Mailbox:
    """Receives the e-mails of a system at `url`, the value of SMTP_URL."""

    url: str = ""
    messages: list[EmailMessage] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Mailbox"]:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(self), "127.0.0.1", 0)
        self.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append(email.message_from_bytes(call[2].content, policy=email.policy.default))
        return "250 accepted"

    async def until_received(self, recipient: str, subject: str, count: int) -> list[str]:
        """The texts of the e-mails with this subject, once there are `count`."""
        async with asyncio.timeout(RECEIVE_TIMEOUT_SECONDS):
            while len(found := self.texts(recipient, subject)) < count:
                await asyncio.sleep(0.02)
        return found

    async def until_token_received(self, recipient: str) -> str:
        """The token in the only e-mail to a recipient."""
        (text,) = await self.until_received(recipient, "", 1)
        token = _TOKEN.search(text)
        assert token is not None
        return token[1]

    def texts(self, recipient: str, subject: str) -> list[str]:
        return [
            part.get_content()
            for message in self.messages
            if message["To"] == recipient and subject in message["Subject"]
            if (part := message.get_body(("plain",))) is not None
        ]
