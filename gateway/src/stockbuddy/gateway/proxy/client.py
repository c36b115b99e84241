"""The gateway's own calls to services: JWKS, revocations, token exchange, auth reports, OpenAPI documents, health."""

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.types import Message

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.internal_calls import InternalCallSigner, UnsignedCall
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.gateway.proxy.upstream import ResponseInterrupted, Upstream


@dataclass(slots=True)
class UpstreamResponse:
    """`headers`: by name in lower case."""

    status: int = 0
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Raises ValueError if the body is not JSON."""
        return json.loads(self.body)


async def call(
    upstream: Upstream,
    method: str,
    path: str,
    *,
    timeout_seconds: float,
    query: str = "",
    body: BaseModel | None = None,
    authorization: str | None = None,
    known_etag: bytes | None = None,
) -> UpstreamResponse:
    """The complete response, whatever its status: 304 without a body if its tag is `known_etag`. Raises
    DependencyUnavailable."""
    content = b"" if body is None else body.model_dump_json(exclude_unset=True).encode()
    response = UpstreamResponse()
    is_sent = False

    async def receive() -> Message:
        nonlocal is_sent
        if is_sent:
            await asyncio.Event().wait()  # the service must not see a disconnect before it has responded
        is_sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status, response.headers = message["status"], dict(message.get("headers", ()))
        else:
            response.body += message.get("body", b"")

    scope = _scope(method, path, query, content, authorization)
    if known_etag is not None:
        scope["headers"].append((b"if-none-match", known_etag))
    try:
        async with asyncio.timeout(timeout_seconds):
            await upstream(scope, receive, send)
    except (Problem, ResponseInterrupted, OSError, TimeoutError) as error:
        raise DependencyUnavailable(f"{method} {path}: {error!r}") from error
    return response


class AuthClient:
    """Calls auth's internal paths, which accept signed calls only."""

    def __init__(self, auth: Upstream, signer: InternalCallSigner) -> None:
        self._auth = auth
        self._signer = signer

    async def call(
        self, method: str, path: str, *, timeout_seconds: float, query: str = "", body: BaseModel | None = None
    ) -> UpstreamResponse:
        """Raises DependencyUnavailable, also if auth does not accept the signature (another GATEWAY_SECRET)."""
        authorization = self._signer.authorization()
        response = await call(
            self._auth,
            method,
            path,
            timeout_seconds=timeout_seconds,
            query=query,
            body=body,
            authorization=authorization,
        )
        if response.status == 401 and _code(response) == UnsignedCall.code:
            raise DependencyUnavailable(f"auth does not accept the signature of {path}; compare GATEWAY_SECRET")
        return response


def _code(response: UpstreamResponse) -> object:
    try:
        problem = response.json()
    except ValueError:
        return None
    return problem.get("code") if isinstance(problem, dict) else None


def _scope(method: str, path: str, query: str, content: bytes, authorization: str | None) -> MutableMapping[str, Any]:
    headers = [(b"host", b"gateway"), (b"accept", b"application/json")]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode()))
    if content:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    return {
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
