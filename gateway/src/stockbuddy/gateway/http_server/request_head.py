"""Checks of a request's head: requests whose framing or target another server might read differently are rejected.

The parser (llhttp, strict) rejects what is malformed: conflicting or repeated Content-Length, line folding, bare line
feeds, wrong chunks. This module rejects what is well-formed and ambiguous (RFC 9112 §3.2, §6.1).
"""

import re
from dataclasses import dataclass, field

from stockbuddy.chassis.http.errors import BadRequest, Problem

Headers = list[tuple[bytes, bytes]]

MAX_URL_BYTES = 16 * 1024
MAX_HEAD_BYTES = 64 * 1024
"""The parser itself sets no limit."""
MAX_HEADERS = 200

_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(/[^?#]*)?(?:\?(.*))?", re.IGNORECASE | re.DOTALL)
_UPGRADE_OPTIONS = frozenset({b"upgrade", b"http2-settings"})
_UPGRADE_HEADERS = frozenset({b"connection", b"upgrade", b"http2-settings"})


class HeadTooLarge(Problem):
    """The head of the request is too large."""

    status = 431
    code = "head_too_large"


class UrlTooLong(Problem):
    """The URL is too long."""

    status = 414
    code = "url_too_long"


class NotSupported(Problem):
    """The server does not support this method or transfer coding."""

    status = 501
    code = "not_supported"


class VersionNotSupported(Problem):
    """The server supports HTTP/1.1 and HTTP/1.0."""

    status = 505
    code = "version_not_supported"


class InvalidHost(BadRequest):
    """The request must have exactly one valid Host header."""

    code = "invalid_host"


@dataclass(slots=True)
class RequestHead:
    """A request's head as the parser read it. Header names are in lower case."""

    method: bytes
    target: bytes
    version: str
    headers: Headers
    values: dict[bytes, bytes] = field(init=False)
    """The last value of each header."""

    def __post_init__(self) -> None:
        self.values = dict(self.headers)

    def split_target(self) -> tuple[bytes, bytes]:
        """Path and query. Raises BadRequest."""
        target = self.target
        if target[:1] == b"/" and b"#" not in target:
            path, _, query = target.partition(b"?")
            return path, query
        if target == b"*" and self.method == b"OPTIONS":
            return target, b""
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise BadRequest("The request target is not a path.")
        if absolute[1].lower() != self._value(b"host").lower():
            raise InvalidHost("The host of the request target differs from the Host header.")
        return absolute[2] or b"/", absolute[3] or b""

    def check(self) -> None:
        """Raises the Problem for which the connection must be closed."""
        if self.version not in ("1.1", "1.0"):
            raise VersionNotSupported
        if self.method == b"CONNECT":
            raise NotSupported("This server is not a forward proxy.")
        self._check_host()
        if b"transfer-encoding" in self.values:
            self._check_transfer_coding()

    def check_size(self) -> None:
        """Raises HeadTooLarge."""
        size = len(self.target) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            raise HeadTooLarge

    @property
    def expects_continue(self) -> bool:
        return self.version == "1.1" and self._value(b"expect").lower() == b"100-continue"

    @property
    def is_websocket_handshake(self) -> bool:
        """A GET without a body that asks for a WebSocket (RFC 6455 §4.1)."""
        return (
            self.method == b"GET"
            and self.version == "1.1"
            and self._value(b"upgrade").strip().lower() == b"websocket"
            and self._value(b"content-length").strip() in (b"", b"0")
            and not self._value(b"transfer-encoding")
        )

    @property
    def declared_bytes(self) -> int | None:
        """The size of the body, or None if it is chunked."""
        length = self._value(b"content-length").strip()
        if length:
            return int(length)
        return None if self._value(b"transfer-encoding") else 0

    def without_upgrade(self) -> bytes:
        """The head as the client would have sent it without asking for an upgrade."""
        lines = [b"%b %b HTTP/%b" % (self.method, self.target, self.version.encode())]
        options: list[bytes] = []
        for name, value in self.headers:
            if name == b"connection":
                options += [option for option in value.split(b",") if option.strip().lower() not in _UPGRADE_OPTIONS]
            elif name not in _UPGRADE_HEADERS:
                lines.append(b"%b: %b" % (name, value))
        if options:
            lines.append(b"connection: " + b",".join(options))
        return b"\r\n".join([*lines, b"", b""])

    def _value(self, name: bytes) -> bytes:
        return self.values.get(name, b"")

    def _check_host(self) -> None:
        host = self.values.get(b"host")
        if host is None:
            if self.version == "1.1":
                raise InvalidHost
            return
        if len(self.values) < len(self.headers) and [name for name, _ in self.headers].count(b"host") > 1:
            raise InvalidHost
        if not _HOST.fullmatch(host.strip()):
            raise InvalidHost

    def _check_transfer_coding(self) -> None:
        if self.version == "1.0":
            raise BadRequest("An HTTP/1.0 request must not have a Transfer-Encoding.")
        if self._value(b"transfer-encoding").strip().lower() != b"chunked":
            raise NotSupported("The only transfer coding is `chunked`.")
