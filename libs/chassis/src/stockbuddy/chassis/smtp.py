"""Sending e-mails over SMTP: settings, messages with international addresses, and the classification of failures.

SMTP_URL: `smtp://`, `smtp+starttls://` or `smtps://[user:password@]host[:port]`. `smtp` uses TLS if the server offers
it, `smtp+starttls` requires it, `smtps` connects with TLS.
"""

import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as ASCII_HEADERS
from email.policy import SMTPUTF8 as UTF8_HEADERS
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Literal, TypeGuard
from urllib.parse import SplitResult, unquote, urlsplit

import idna
from aiosmtplib import SMTP, SMTPException
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from pydantic import FilePath, SecretStr

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.settings import ServiceSettings

CONNECT_TIMEOUT_SECONDS = 20
DATA_TIMEOUT_SECONDS = 600
"""For the response to DATA (RFC 5321 §4.5.3.2.6); a shorter timeout causes duplicates."""
SERVICE_CLOSING = 421
MAX_REASON_LENGTH = 500
MAX_LOCAL_PART_OCTETS = 64
MAX_ADDRESS_OCTETS = 254
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class SmtpSettings(ServiceSettings):
    """Settings of services that send e-mails. `smtp_tls_verification`: `opportunistic` encrypts without verifying the
    server's certificate. Certificates of a relay on a loopback address are verified only against `smtp_ca_file`."""

    smtp_url: SecretStr | None = None
    smtp_tls_verification: Literal["strict", "opportunistic"] = "strict"
    smtp_ca_file: FilePath | None = None
    mail_from: str = "Stockbuddy <stockbuddy@localhost>"

    def smtp_client(self) -> SMTP:
        """A client of SMTP_URL, not yet connected. Raises ValueError if the URL is invalid or not set."""
        parts = urlsplit(self.smtp_url.get_secret_value() if self.smtp_url else "")
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("SMTP_URL is smtp://, smtp+starttls:// or smtps://[user:password@]host[:port]")
        return SMTP(
            hostname=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=True if parts.scheme == "smtp+starttls" else None,
            validate_certs=self._verifies_certificates(parts),
            cert_bundle=str(self.smtp_ca_file) if self.smtp_ca_file else None,
            timeout=CONNECT_TIMEOUT_SECONDS,
        )

    def _verifies_certificates(self, parts: SplitResult) -> bool:
        if self.smtp_ca_file is not None:
            return True
        return self.smtp_tls_verification == "strict" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def mailbox(address: str, display_name: str = "") -> Address:
    """The address as a header value, its domain in IDNA form (`xn--bcher-kva.example`). Raises ValueError for an
    address to which no server could deliver."""
    local_part, _, domain = address.rpartition("@")
    ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    octets = len(local_part.encode())
    if not local_part or not ascii_domain or octets > MAX_LOCAL_PART_OCTETS:
        raise ValueError(f"has no domain or not 1 to {MAX_LOCAL_PART_OCTETS} bytes before the @")
    if octets + 1 + len(ascii_domain) > MAX_ADDRESS_OCTETS:
        raise ValueError(f"has more than {MAX_ADDRESS_OCTETS} bytes")
    return Address(display_name, username=local_part, domain=ascii_domain)


def create_message(*, sender: str, recipient: str, subject: str) -> EmailMessage:
    """A message without content; the headers prevent automatic replies (RFC 3834). Raises ValueError if an address is
    not valid. A local part with other than ASCII characters requires SMTPUTF8 (RFC 6531) of the server."""
    name, address = parseaddr(sender)
    from_, to = mailbox(address, name), mailbox(recipient)
    is_ascii = from_.username.isascii() and to.username.isascii()
    message = EmailMessage(policy=ASCII_HEADERS if is_ascii else UTF8_HEADERS)
    message["From"] = from_
    message["To"] = to
    # A line break would start another header (header injection).
    message["Subject"] = " ".join(subject.split())
    message["Auto-Submitted"] = "auto-generated"
    return message


class EmailRejected(Exception):
    """The server will never accept this e-mail; it accepts others."""


class EmailDeferred(Exception):
    """The server doesn't accept this e-mail at present; it accepts others."""


class SmtpUnavailable(DependencyUnavailable):
    """The server accepts no e-mail: unreachable, its certificate not trusted, or our credentials or sender refused."""

    dependency = "smtp_server"


async def connect(client: SMTP) -> None:
    """Raises SmtpUnavailable, which names the reason."""
    try:
        await client.connect()
    except (SMTPException, OSError) as error:
        raise _unavailable(error) from error


async def send(client: SMTP, message: EmailMessage) -> None:
    """Return when the server has accepted the message. Raises EmailRejected, EmailDeferred or SmtpUnavailable."""
    try:
        await client.send_message(message, timeout=DATA_TIMEOUT_SECONDS)
    except (ValueError, MessageError, SMTPNotSupported) as error:
        raise EmailRejected(_reason(error)) from error
    except SMTPRecipientsRefused as error:
        refused = error.recipients[0]
        raise (EmailRejected if refused.code >= 500 else EmailDeferred)(_reason(refused)) from error
    except (SMTPException, OSError) as error:
        if isinstance(error, (SMTPSenderRefused, SMTPAuthenticationError)) or not _is_about_message(error):
            raise _unavailable(error) from error
        raise (EmailRejected if error.code >= 500 else EmailDeferred)(_reason(error)) from error


def _is_about_message(error: Exception) -> TypeGuard[SMTPResponseException]:
    return isinstance(error, SMTPResponseException) and error.code != SERVICE_CLOSING


def _unavailable(error: Exception) -> SmtpUnavailable:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = "certificate_not_trusted"
    elif isinstance(error, (SMTPAuthenticationError, SMTPSenderRefused)):
        reason = "credentials_refused" if isinstance(error, SMTPAuthenticationError) else "sender_refused"
    else:
        reason = "unavailable"
    return SmtpUnavailable(_reason(error), reason=reason)


def _reason(error: Exception) -> str:
    """For an admin: `550 mailbox unavailable`."""
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"[:MAX_REASON_LENGTH]
    return (str(error) or type(error).__name__)[:MAX_REASON_LENGTH]
