"""A request as it goes over the wire: head and small bodies in one write, large bodies piece by piece."""

from dataclasses import dataclass

from starlette.types import Receive, Scope

from stockbuddy.gateway.upstream.connection import Connection
from stockbuddy.gateway.upstream.port import ClientLeft

WHOLE_BYTES = 64 * 1024
"""Bodies up to this size are read before a service hears of them: a slow client holds no connection to a service."""

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


@dataclass(slots=True)
class OutgoingRequest:
    """`start` is the head and all or the beginning of the body."""

    start: bytes
    head_only: bool
    is_whole: bool
    receive: Receive
    chunked: bool = False

    async def send_rest(self, connection: Connection, idle_seconds: float) -> None:
        """The pieces that are still to come from the client. Raises ClientLeft, or what `receive` raises."""
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            more = message.get("more_body", False)
            piece = self._framed(message.get("body", b""), last=not more)
            await connection.send_piece(piece, last=not more, seconds=idle_seconds)

    def _framed(self, piece: bytes, *, last: bool) -> bytes:
        return chunk(piece, last=last) if self.chunked else piece


async def read_request(scope: Scope, receive: Receive) -> OutgoingRequest:
    """Reads as much of the body as is small. Raises ClientLeft, or what `receive` raises."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    declared_bytes, has_body = _framing(headers)
    method = scope["method"]
    lines = _head_lines(scope, method, headers)
    body, more = b"", False
    if has_body:
        body, more = await _read_small(receive)
    chunked = more and declared_bytes is None
    if chunked:
        lines.append(b"transfer-encoding: chunked\r\n")
        body = chunk(body, last=False)
    elif has_body:
        length = declared_bytes if more and declared_bytes is not None else len(body)
        lines.append(b"content-length: %d\r\n" % length)
    lines.append(b"\r\n")
    lines.append(body)
    return OutgoingRequest(b"".join(lines), method == "HEAD", not more, receive, chunked)


def _framing(headers: list[tuple[bytes, bytes]]) -> tuple[int | None, bool]:
    for name, value in headers:
        if name == b"content-length":
            return int(value), True
        if name == b"transfer-encoding":
            return None, True
    return None, False


def _head_lines(scope: Scope, method: str, headers: list[tuple[bytes, bytes]]) -> list[bytes]:
    query = scope["query_string"]
    target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    lines = [b"%b %b HTTP/1.1\r\n" % (method.encode(), target)]
    lines += [b"%b: %b\r\n" % header for header in headers if header[0] not in _FRAMING]
    return lines


async def _read_small(receive: Receive) -> tuple[bytes, bool]:
    """The beginning of the body, and whether there is more."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if not more or len(body) > WHOLE_BYTES:
            return body, more


def chunk(piece: bytes, *, last: bool) -> bytes:
    """RFC 9112 §7.1."""
    framed = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return framed + b"0\r\n\r\n" if last else framed
