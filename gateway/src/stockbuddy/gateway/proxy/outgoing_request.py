"""A request as bytes for a connection: head and small bodies in one write, large bodies in chunks."""

from dataclasses import dataclass

from starlette.types import Receive, Scope

from stockbuddy.gateway.proxy.connection import Connection
from stockbuddy.gateway.proxy.upstream import ClientDisconnected

MAX_BUFFERED_BODY_BYTES = 64 * 1024
"""Bodies up to this size are read completely before a connection is acquired, so a slow client occupies none."""

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


@dataclass(slots=True)
class OutgoingRequest:
    """`start` is the head with the body, or the first part of it."""

    start: bytes
    head_only: bool
    is_whole: bool
    receive: Receive
    chunked: bool = False

    async def send_rest(self, connection: Connection, timeout_seconds: float) -> None:
        """Stream the rest of the body. Raises ClientDisconnected, or the error of `receive`."""
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            more = message.get("more_body", False)
            body = message.get("body", b"")
            chunk = _chunk(body, last=not more) if self.chunked else body
            await connection.send_chunk(chunk, last=not more, timeout_seconds=timeout_seconds)


async def read_request(scope: Scope, receive: Receive) -> OutgoingRequest:
    """Reads the body up to MAX_BUFFERED_BODY_BYTES. Raises ClientDisconnected, or the error of `receive`."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    declared_bytes, has_body = _framing(headers)
    method = scope["method"]
    lines = _head_lines(scope, method, headers)
    body, more = b"", False
    if has_body:
        body, more = await _read_start(receive)
    chunked = more and declared_bytes is None
    if chunked:
        lines.append(b"transfer-encoding: chunked\r\n")
        body = _chunk(body, last=False)
    elif has_body:
        length = declared_bytes if more and declared_bytes is not None else len(body)
        lines.append(b"content-length: %d\r\n" % length)
    lines.append(b"\r\n")
    lines.append(body)
    return OutgoingRequest(b"".join(lines), method == "HEAD", not more, receive, chunked)


def _framing(headers: list[tuple[bytes, bytes]]) -> tuple[int | None, bool]:
    """The declared size of the body, and whether there is a body."""
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


async def _read_start(receive: Receive) -> tuple[bytes, bool]:
    """The first part of the body, and whether more follows."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if not more or len(body) > MAX_BUFFERED_BODY_BYTES:
            return body, more


def _chunk(body: bytes, *, last: bool) -> bytes:
    """The chunked transfer coding (RFC 9112 §7.1)."""
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return chunk + b"0\r\n\r\n" if last else chunk
