"""The mail server as its address says it: `smtp://user:password@host:port`.

`smtp` uses TLS when the server offers it, `smtp+starttls` insists on it, `smtps` speaks TLS from the first byte.
"""

from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP

ANSWER_SECONDS = 20
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def mail_server(url: str) -> SMTP:
    """A client, not yet connected. Raises ValueError for an address of another kind."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("SMTP_URL is smtp://, smtp+starttls:// or smtps://[user:password@]host[:port]")
    return SMTP(
        hostname=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=parts.scheme == "smtps",
        start_tls=True if parts.scheme == "smtp+starttls" else None,
        timeout=ANSWER_SECONDS,
    )
