"""Redirect URIs of apps: which ones an app may have, and which one a request may name.

Compared character by character (RFC 9700 §2.1). Only the port of a loopback address is free, because a native app
listens on whatever port the system gives it (RFC 8252 §7.3).
"""

import re
from urllib.parse import SplitResult, urlsplit

MAX_LENGTH = 500
LOOPBACK_HOSTS = {"127.0.0.1", "::1", "localhost"}
_ALLOWED = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+", re.ASCII)
"""The characters of a URI (RFC 3986) but `#`: a fragment must not be part of it (RFC 6749 §3.1.2)."""
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+", re.ASCII)
"""Of a native app: a domain name in reverse (RFC 8252 §7.1), so that no other app has it by accident."""
_PORT = re.compile(r":\d{1,5}$", re.ASCII)


def require_redirect_uri(uri: str) -> str:
    """Raises ValueError unless the URI is https, http on a loopback address, or has a scheme with a dot."""
    if not _ALLOWED.fullmatch(uri):
        raise ValueError("must be an absolute URI without fragment and without characters that need encoding")
    parts = _split(uri)
    if _PRIVATE_SCHEME.fullmatch(parts.scheme):
        return uri
    if parts.scheme not in ("https", "http"):
        raise ValueError("must begin with https://, or with a scheme of the app that contains a dot")
    if not parts.hostname or "@" in parts.netloc:
        raise ValueError("must have a host, and neither user nor password")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("must begin with https://, unless its host is 127.0.0.1, [::1] or localhost")
    return uri


def is_registered(uri: str, registered: list[str]) -> bool:
    """Whether a request may name it."""
    if uri in registered:
        return True
    if not _ALLOWED.fullmatch(uri) or not _is_loopback(uri):
        return False
    without_port = _without_port(uri)
    return any(_is_loopback(other) and _without_port(other) == without_port for other in registered)


def identifies_app(uri: str) -> bool:
    """Whether only the app can receive what is sent there. Any program of a device can listen on a loopback address or
    claim a scheme (RFC 8252 §8.6)."""
    return uri.startswith("https://")


def form_action_source(uri: str) -> str:
    """The source expression of a content security policy that allows a redirect to the URI."""
    parts = urlsplit(uri)
    # The grammar of sources has no IPv6 addresses.
    if parts.scheme not in ("https", "http") or (parts.hostname and ":" in parts.hostname):
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise ValueError("is not a URI") from error
    return parts


def _is_loopback(uri: str) -> bool:
    try:
        parts = _split(uri)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS and "@" not in parts.netloc


def _without_port(uri: str) -> str:
    parts = urlsplit(uri)
    return parts._replace(netloc=_PORT.sub("", parts.netloc)).geturl()
