"""Sends requests: credentials, idempotency keys, retries until one deadline, errors by their code."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx

from stockbuddy_client import exact, retries
from stockbuddy_client._async.authenticator import AsyncAuthenticator
from stockbuddy_client._async.clock import sleep, timeout
from stockbuddy_client.credentials import Credentials
from stockbuddy_client.errors import error_class
from stockbuddy_client.problems import ApiError, ConnectionFailed, DeadlineExceeded, InvalidResponse, StockbuddyError
from stockbuddy_client.retries import CONNECT_TIMEOUT_SECONDS, KEY_HEADER, RETRIED_STATUSES, Retry

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
API_PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its body as bytes, so that each attempt sends the same. `deadline`: on the monotonic clock."""

    method: str
    path: str
    content: bytes | None
    headers: Mapping[str, str]
    deadline: float
    authenticated: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A response whose body has been read."""

    status: int
    headers: httpx.Headers
    content: bytes = field(default=b"", repr=False)

    def value(self) -> Any:
        """The JSON body; an object carries its entity tag. None without a body, bytes of another media type."""
        media_type = self.headers.get("content-type", "")
        if not self.content:
            return None
        if media_type.startswith("text/html"):
            raise InvalidResponse("the response is a page for people; does another server respond?")
        if "json" not in media_type:
            return self.content
        try:
            value = exact.decode(self.content)
        except ValueError as error:
            raise InvalidResponse(f"the response is not JSON: {self.content[:80]!r}") from error
        if isinstance(value, exact.Record):
            value.etag = self.headers.get("etag")
            value.request_id = self.headers.get("x-request-id")
            value.replayed = "idempotent-replayed" in self.headers
        return value

    def error(self) -> ApiError:
        try:
            value = self.value()
        except InvalidResponse:
            value = None
        problem = value if isinstance(value, dict) else {"detail": self.content[:200].decode(errors="replace")}
        problem.setdefault("request_id", self.headers.get("x-request-id"))
        return error_class(self.status, problem.get("code"))(self.status, problem)


class AsyncTransport:
    """`http`: an HTTP client to use instead of an own one."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | None,
        timeout_seconds: float,
        on_retry: Callable[[Retry], None] | None,
        http: httpx.AsyncClient | None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._on_retry = on_retry
        self._http = http or httpx.AsyncClient(follow_redirects=False)
        self.authenticator = AsyncAuthenticator(credentials, self.request)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        authenticated: bool = True,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Send a request and return the JSON of its response. `path`: relative to `/api/v1`. `content`: a body that is
        not JSON, with its `Content-Type` in `headers`. Raises ApiError, ConnectionFailed or InvalidResponse."""
        all_headers = dict(headers or {})
        if body is not None:
            content = exact.encode(body)
            all_headers["Content-Type"] = "application/json"
        if method == "POST" and authenticated:
            all_headers[KEY_HEADER] = idempotency_key or str(uuid.uuid4())
        deadline = monotonic() + (timeout_seconds or self._timeout_seconds)
        target = path + to_query(params or {})
        reply = await self.send(Request(method, target, content, all_headers, deadline, authenticated))
        return reply.value()

    async def send(self, request: Request) -> Reply:
        """Repeat until the request succeeds, must not be repeated, or its deadline passes."""
        attempt = 0
        sent_before = renewed = False
        while True:
            failure: ApiError | ConnectionFailed
            retry_after = None
            headers = await self._headers(request)
            try:
                reply = await self._attempt(replace(request, headers=headers))
            except ConnectionFailed as error:
                failure, is_transient = error, True
                can_repeat = not error.may_have_taken_effect or retries.may_repeat(request.method, request.headers)
                sent_before |= error.may_have_taken_effect
            else:
                if reply.status < 400:
                    return reply
                if reply.status == 401 and request.authenticated and not renewed:
                    renewed = await self.authenticator.renew(headers)
                    if renewed:
                        continue
                if reply.status == 404 and request.method == "DELETE" and sent_before:
                    return Reply(204, reply.headers)
                failure = reply.error()
                failure.may_have_taken_effect = sent_before
                is_transient = reply.status in RETRIED_STATUSES
                can_repeat = retries.may_repeat(request.method, request.headers)
                sent_before |= reply.status > 500
                retry_after = retries.retry_after_seconds(reply.headers.get("retry-after"))
            delay = retries.delay_seconds(attempt, retry_after)
            attempt += 1
            if not is_transient or not can_repeat or monotonic() + delay >= request.deadline:
                raise failure
            if self._on_retry:
                self._on_retry(Retry(request.method, request.path, attempt, delay, failure))
            await sleep(delay)

    async def _headers(self, request: Request) -> dict[str, str]:
        own = await self.authenticator.headers() if request.authenticated else {}
        return {"Accept": "application/json", **request.headers, **own}

    async def _attempt(self, request: Request) -> Reply:
        remaining = request.deadline - monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the deadline passed before the request was sent")
        limits = httpx.Timeout(remaining, connect=min(remaining, CONNECT_TIMEOUT_SECONDS))
        url = self._base_url + API_PREFIX + request.path
        chunks: list[bytes] = []
        try:
            async with (
                timeout(remaining),
                self._http.stream(
                    request.method, url, content=request.content, headers=request.headers, timeout=limits
                ) as response,
            ):
                async for chunk in response.aiter_bytes():
                    chunks.append(chunk)
                    if monotonic() > request.deadline:
                        raise TimeoutError
        except (httpx.HTTPError, TimeoutError) as error:
            raise _connection_failed(request, error) from error
        return Reply(response.status_code, response.headers, b"".join(chunks))

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, Any], idle_seconds: float
    ) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an endless response, without retries. Raises ApiError and ConnectionFailed, also while the lines
        are read; a pause of `idle_seconds` is a failure."""
        limits = httpx.Timeout(idle_seconds, connect=CONNECT_TIMEOUT_SECONDS)
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store", **await self.authenticator.headers()}
        url = self._base_url + API_PREFIX + path + to_query(params)
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=limits) as response:
                if response.status_code != 200:
                    content = b"".join([chunk async for chunk in response.aiter_bytes()])
                    raise Reply(response.status_code, response.headers, content).error()
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    raise InvalidResponse("the response is no event stream")
                yield response.aiter_lines()
        except httpx.HTTPError as error:
            raise ConnectionFailed(f"the stream ended: {error!r}") from error


def _connection_failed(request: Request, error: Exception) -> StockbuddyError:
    kind = DeadlineExceeded if monotonic() >= request.deadline else ConnectionFailed
    failure = kind(f"{request.method} {request.path}: {error!r}")
    failure.may_have_taken_effect = not isinstance(error, NOT_SENT)
    return failure


def to_query(params: Mapping[str, Any]) -> str:
    """A query string; None is left out, lists repeat the name, and `from_` stands for Python's keyword `from`."""
    pairs = []
    for name, value in params.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name.rstrip("_"), _to_text(one)) for one in values if one is not None]
    return f"?{urlencode(pairs)}" if pairs else ""


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
