"""Links in responses under a path prefix, and links to pictures at a CDN. Services know their paths without the prefix
of the proxy in front; a stored response is therefore right under any."""

import re

from starlette.types import Message, Send

LINK = re.compile(rb'("(?:\w+_url|thumbnails)"\s*:\s*(?:\{[^{}]*\}|"/api/v1/[^"]*"))')
"""A link in JSON, or an object of links. A quote inside a string is escaped, so no text that a user entered matches."""
_PATH = re.compile(rb'(:\s*")(/api/v1/(products/\d+/image\?v=[^"]*&signature=)?)')
"""The third group: of a signed picture, which needs no credentials."""
MAX_BUFFERED_BYTES = 4 * 1024 * 1024


class LinkPrefix:
    """A `send` that adds the prefix to `Location` and to the links of JSON bodies, which it buffers. Links to signed
    pictures get `cdn_url` in front of the prefix."""

    def __init__(self, send: Send, path_prefix: str, cdn_url: str) -> None:
        self._send = send
        self._prefix = path_prefix.encode()
        self._cdn_url = cdn_url.encode()
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._on_start(message)
        elif self._start is None:
            await self._send(message)
        else:
            await self._on_body(message["body"], more=message.get("more_body", False))

    async def _on_start(self, message: Message) -> None:
        headers = [self._located(header) for header in message["headers"]]
        message = {**message, "headers": headers}
        if any(name == b"content-type" and value.startswith(b"application/json") for name, value in headers):
            self._start = message
        else:
            await self._send(message)

    def _located(self, header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        name, value = header
        return (name, self._prefix + value) if name == b"location" and value.startswith(b"/") else header

    async def _on_body(self, body: bytes, *, more: bool) -> None:
        self._body += body
        if more and len(self._body) <= MAX_BUFFERED_BYTES:
            return
        start, self._start = self._start, None
        assert start is not None
        headers = start["headers"]
        if not more:
            self._body = LINK.sub(self._prefixed, self._body)
            headers = [header for header in headers if header[0] != b"content-length"]
            headers.append((b"content-length", b"%d" % len(self._body)))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": self._body, "more_body": more})

    def _prefixed(self, link: re.Match[bytes]) -> bytes:
        return _PATH.sub(self._located_path, link[0])

    def _located_path(self, path: re.Match[bytes]) -> bytes:
        return path[1] + (self._cdn_url if path[3] else b"") + self._prefix + path[2]
