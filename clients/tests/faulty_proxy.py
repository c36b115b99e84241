"""An HTTP proxy that fails, delays, cuts and repeats: one fault per request, in order; further requests pass."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2 as httpx

Fault = str | dict[str, Any]
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "host"}
STALL_SECONDS = 60
NOT_LISTENING = socket.socket()
NOT_LISTENING.bind(("127.0.0.1", 0))
CLOSED_PORT = f"http://127.0.0.1:{NOT_LISTENING.getsockname()[1]}"
"""Bound, so that no other program takes it, and refusing connections."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FaultyProxy:
    """`url`: of the current case. Requests that an earlier case left unread on a connection do not take its faults."""

    http: httpx.AsyncClient
    url: str = ""
    case: int = 0
    faults: list[Fault] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def start_case(self, faults: list[Fault]) -> None:
        self.case += 1
        self.url = f"{self.url.partition('/case-')[0]}/case-{self.case}"
        self.faults = list(faults)
        self.received = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[FaultyProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, httpx.HTTPError):
            while (request := await _read(reader)) is not None:
                _, case, path = request.path.split("/", 2)
                if case != f"case-{self.case}":
                    break
                request = replace(request, path=f"/{path}")
                self.received.append(request)
                fault = self.faults.pop(0) if self.faults else "pass"
                if not await self._answer(request, fault, writer):
                    break
                await writer.drain()
        writer.transport.abort() if not writer.is_closing() else None

    async def _answer(self, request: Received, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        """False if the connection ends."""
        kind, options = to_kind(fault)
        if kind == "stall":
            await asyncio.sleep(STALL_SECONDS)
        if kind == "delay":
            await asyncio.sleep(float(options))
        if kind == "respond":
            writer.write(_response(options))
        elif kind not in ("reset", "stall"):
            return await self._forward_with(request, kind, options, writer)
        return kind == "respond"

    async def _forward_with(self, request: Received, kind: str, options: Any, writer: asyncio.StreamWriter) -> bool:
        """`lose`, `cut` and `drip` are faults of the response, `strip` and `repeat` of the request."""
        if kind == "strip":
            request = replace(request, headers={**request.headers, "authorization": "Bearer expired"})
        if kind == "repeat":
            await self._forward(request)
        if request.path.startswith("/api/v1/stream"):
            return await self._stream(request, writer, options if kind == "cut_stream" else None)
        response = await self._forward(request)
        head, body = _head(response), response.content
        if kind == "cut":
            writer.write(head + body[: len(body) // 2])
            await writer.drain()
        elif kind == "drip":
            writer.write(head)
            for byte in body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(options)
        elif kind != "lose":
            writer.write(_response(options) if kind == "respond_after" else head + body)
        return kind not in ("cut", "lose")

    async def _forward(self, request: Received) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        headers["accept-encoding"] = "identity"
        return await self.http.request(request.method, request.path, headers=headers, content=request.body or None)

    async def _stream(self, request: Received, writer: asyncio.StreamWriter, events: int | None) -> bool:
        """`events`: how many events pass before the connection is cut."""
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        passed = 0
        async with self.http.stream("GET", request.path, headers=headers, timeout=None) as response:
            kind = response.headers["content-type"]
            head = f"HTTP/1.1 {response.status_code} \r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            async for line in response.aiter_lines():
                writer.write(f"{line}\n".encode())
                await writer.drain()
                passed += line.startswith("data:")
                if events is not None and passed >= events and not line:
                    return False
        return False


def to_kind(fault: Fault) -> tuple[str, Any]:
    """A fault's name and its value, such as seconds or the response."""
    return (fault, None) if isinstance(fault, str) else next(iter(fault.items()))


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)


def _head(response: httpx.Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status_code} "]
    lines += [f"{name}: {value}" for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP]
    if response.status_code not in (204, 304):
        lines.append(f"content-length: {len(response.content)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _response(options: dict[str, Any]) -> bytes:
    """A response of the proxy's own: `status`, `code`, `retry_after`, `html`."""
    status = options["status"]
    if "html" in options:
        kind, body = "text/html", str(options["html"]).encode()
    else:
        problem = {
            "status": status,
            "code": options.get("code", ""),
            "detail": "of the proxy",
            **options.get("members", {}),
        }
        kind, body = "application/problem+json", json.dumps(problem).encode()
    extra = f"Retry-After: {options['retry_after']}\r\n" if "retry_after" in options else ""
    head = f"HTTP/1.1 {status} \r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
