"""The upstream port: a service, however it is reached, is an ASGI application.

So requests, answers, server-sent events and WebSockets pass alike whether the service is across the network or in
the same process, and nothing before the port knows which.
"""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Unavailable

KNOWN_CALLER = "stockbuddy.known_caller"
"""Whether the caller of the request in this scope is known. Idempotency keys belong to callers: without one, as at a
log-in, a service takes no notice of them."""


class Upstream(Protocol):
    """One service.

    Raises `Unavailable`, `ServiceTimeout`, `ClientLeft` or what `receive` raised, and then has sent nothing;
    `Interrupted` when it broke in the middle of an answer.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Interrupted(Exception):
    """The service went away in the middle of its answer."""


class ClientLeft(Exception):
    """The client hung up before its request was whole."""


@dataclass(slots=True)
class Reply:
    """A whole answer to the gateway's own question."""

    status: int = 0
    body: bytes = b""

    @property
    def document(self) -> Any:
        """Raises ValueError for what is not JSON."""
        return json.loads(self.body)


async def ask(upstream: Upstream, method: str, path: str, *, query: str = "", document: Any = None) -> Reply:
    """The gateway's own calls to a service: signing keys, revoked sessions, exchanges, reports, documents, health.
    Raises `Unavailable` or `ServiceTimeout`, also when half an answer came."""
    body = b"" if document is None else json.dumps(document).encode()
    headers = [(b"host", b"gateway"), (b"accept", b"application/json")]
    if body:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": None,
        "server": None,
        "state": {},
    }
    reply = Reply()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # this client stays until it has its answer
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
        else:
            reply.body += message.get("body", b"")

    try:
        await upstream(scope, receive, send)
    except Interrupted as error:
        raise Unavailable from error
    return reply
