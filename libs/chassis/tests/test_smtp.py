"""E-mails over SMTP, against a server on a real socket."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from stockbuddy.chassis.smtp import (
    EmailDeferred,
    EmailRejected,
    SmtpSettings,
    SmtpUnavailable,
    connect,
    create_message,
    mailbox,
    send,
)
from stockbuddy.local_servers.ports import free_port

NOT_LOOPBACK = "0.0.0.0"
"""As a destination, Linux connects to this machine."""
SENDER = "Shop <shop@bücher.example>"


@dataclass
class Received:
    """Accepts e-mails, or responds to recipients as set."""

    response_to_recipient: str = "250 OK"
    envelopes: list[Any] = field(default_factory=list)

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        _, _, envelope, address, _ = call
        if self.response_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.response_to_recipient

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802 - as above
        self.envelopes.append(call[2])
        return "250 accepted"


@contextlib.contextmanager
def smtp_server(certificate: Path | None = None, *, smtputf8: bool = False) -> Iterator[tuple[int, Received]]:
    """A server that offers STARTTLS if it has a certificate; its port and what it receives."""
    received = Received()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)

    class OfferingController(Controller):
        def factory(self) -> SMTP:
            return SMTP(received, hostname="mail.test", enable_SMTPUTF8=smtputf8, tls_context=context)

    controller = OfferingController(received, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port, received
    finally:
        controller.stop()


@contextlib.asynccontextmanager
async def connection(url: str, **settings: Any) -> AsyncIterator[Any]:
    client = SmtpSettings(env="development", smtp_url=url, **settings).smtp_client()
    await connect(client)
    try:
        yield client
    finally:
        client.close()


async def test_certificate_of_loopback_relay_is_not_verified(certificate: Path) -> None:
    with smtp_server(certificate) as (port, _):
        for host in ("127.0.0.1", "localhost"):
            async with connection(f"smtp://{host}:{port}") as client:
                assert client.get_transport_info("sslcontext") is not None


async def test_certificate_of_other_server_is_verified_unless_opportunistic(certificate: Path) -> None:
    with smtp_server(certificate) as (port, _):
        url = f"smtp://{NOT_LOOPBACK}:{port}"
        with pytest.raises(SmtpUnavailable) as refused:
            async with connection(url):
                pass
        assert refused.value.reason == "certificate_not_trusted"
        async with connection(url, smtp_tls_verification="opportunistic") as client:
            assert client.get_transport_info("sslcontext") is not None


async def test_certificate_is_verified_against_ca_file(certificate: Path, tmp_path: Path) -> None:
    with smtp_server(certificate) as (port, _):
        async with connection(f"smtp+starttls://localhost:{port}", smtp_ca_file=certificate) as client:
            assert client.get_transport_info("sslcontext") is not None
        other = tmp_path / "other.pem"
        other.write_text((Path(ssl.get_default_verify_paths().cafile or certificate)).read_text())
        with pytest.raises(SmtpUnavailable):
            async with connection(f"smtp://127.0.0.1:{port}", smtp_ca_file=other):
                pass


async def test_international_domain_is_sent_in_idna_form() -> None:
    message = create_message(sender=SENDER, recipient="ops@bücher.example", subject="stock\r\nBcc: x@example.com")
    with smtp_server() as (port, received):
        async with connection(f"smtp://127.0.0.1:{port}") as client:
            await send(client, message)
    (envelope,) = received.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@xn--bcher-kva.example", ["ops@xn--bcher-kva.example"])
    assert b"To: ops@xn--bcher-kva.example\r\n" in envelope.content
    assert b"Subject: stock Bcc: x@example.com\r\n" in envelope.content
    assert envelope.content.isascii()


async def test_international_local_part_requires_smtputf8() -> None:
    message = create_message(sender=SENDER, recipient="jösé@example.com", subject="stock")
    with smtp_server(smtputf8=True) as (port, received):
        async with connection(f"smtp://127.0.0.1:{port}") as client:
            await send(client, message)
    assert received.envelopes[0].rcpt_tos == ["jösé@example.com"]
    assert "To: jösé@example.com\r\n".encode() in received.envelopes[0].content
    with smtp_server() as (port, _):
        async with connection(f"smtp://127.0.0.1:{port}") as client:
            with pytest.raises(EmailRejected, match="SMTPUTF8"):
                await send(client, message)
            await send(client, create_message(sender=SENDER, recipient="ann@example.com", subject="stock"))


async def test_responses_to_recipients_concern_one_email() -> None:
    message = create_message(sender=SENDER, recipient="ann@example.com", subject="stock")
    with smtp_server() as (port, received):
        async with connection(f"smtp://127.0.0.1:{port}") as client:
            received.response_to_recipient = "550 no such user"
            with pytest.raises(EmailRejected, match="550 no such user"):
                await send(client, message)
            received.response_to_recipient = "450 greylisted"
            with pytest.raises(EmailDeferred, match="450 greylisted"):
                await send(client, message)
            received.response_to_recipient = "250 OK"
            await send(client, message)


async def test_unreachable_server_is_unavailable() -> None:
    with smtp_server() as (port, _):
        pass
    with pytest.raises(SmtpUnavailable):
        async with connection(f"smtp://127.0.0.1:{port}"):
            pass


@pytest.mark.parametrize("address", ["@example.com", "ann@", "ö" * 33 + "@example.com", "a@" + "ü" * 60 + ".example"])
def test_address_without_possible_delivery_is_rejected(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        mailbox(address)
