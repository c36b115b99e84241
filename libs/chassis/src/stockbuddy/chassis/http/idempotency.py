"""A POST with an `Idempotency-Key` takes effect once; repeats return the stored first response for 8 days.

The key is claimed in the transaction of the effect: a concurrent duplicate waits on the unique index until that
transaction ends, then returns its stored response, or, if it was rolled back, takes effect itself.
"""

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import Request, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.authentication import authenticate
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.location import add_location, has_item_route
from stockbuddy.chassis.http.permissions import require_permission
from stockbuddy.chassis.http.strict_query import StrictQueryRoute

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
STORED_HEADERS = ("ETag", "Location")
MAX_KEY_LENGTH = 255


class IdempotencyKeyReused(Unprocessable):
    """This idempotency key was used with a different request."""

    code = "idempotency_key_reused"


class IdempotencyKeyInvalid(Unprocessable):
    """An idempotency key has 1 to 255 characters."""

    code = "idempotency_key_invalid"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key and the digest of its request. `caller` is the credential (`Principal.credential`), so that two
    API keys of one user never receive each other's responses."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to the first request with a key; `body` is its bytes decoded as UTF-8, `headers` are those of
    STORED_HEADERS that it had."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self) -> Response:
        headers = {**self.headers, REPLAYED_HEADER: "true"}
        return Response(self.body or None, self.status, headers, media_type="application/json")


class ReplayedResponse(Exception):
    """The request repeats an accepted one, whose stored response is returned."""

    def __init__(self, stored: StoredResponse) -> None:
        self.stored = stored
        super().__init__()


async def read_key(request: Request) -> IdempotencyKey | None:
    """The request's key; None without one or without credentials, since keys belong to callers."""
    key = request.headers.get(HEADER)
    if key is None or "authorization" not in request.headers:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise IdempotencyKeyInvalid()
    caller = await authenticate(request)
    query = request.scope["query_string"].decode("latin-1")
    target = request.scope["path"] + (f"?{query}" if query else "")
    body = _without_boundary(await request.body(), request.headers.get("content-type", ""))
    return IdempotencyKey(caller.credential, key, fingerprint(request.method, target, body))


def _without_boundary(body: bytes, content_type: str) -> bytes:
    """Remove the multipart boundary: clients generate a new one for each retry."""
    kind, _, boundary = content_type.partition("boundary=")
    is_form = kind.strip().lower().startswith("multipart/") and boundary
    return body.replace(boundary.strip('"').encode(), b"") if is_form else body


def _canonical_number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """A digest that ignores white space, the order of members and the notation of numbers in JSON: 1.0 equals 1."""
    try:
        document = json.loads(body, parse_float=_canonical_number) if body else None
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() if body else b""
    except (ValueError, RecursionError):
        canonical = body
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), canonical))).digest()


_CLAIM = text("""
    INSERT INTO idempotency_key (caller, key, fingerprint) VALUES (:caller, :key, :fingerprint)
    ON CONFLICT (caller, key) DO NOTHING RETURNING true
""")
_READ = text("SELECT fingerprint, status, body, headers FROM idempotency_key WHERE caller = :caller AND key = :key")
_STORE = text("""
    UPDATE idempotency_key SET status = :status, body = :body, headers = CAST(:headers AS json)
    WHERE caller = :caller AND key = :key
""")


def stored_response_for(
    key: IdempotencyKey, stored_fingerprint: bytes, status: int, body: str, headers: Mapping[str, str] | None = None
) -> StoredResponse:
    """The stored response. Raises IdempotencyKeyReused if it belongs to a different request."""
    if stored_fingerprint != key.fingerprint:
        raise IdempotencyKeyReused()
    return StoredResponse(status, body, headers or {})


async def claim(session: AsyncSession, request: Request) -> None:
    """Claim the request's key (set by `IdempotentRoute`) in `session`. Raises ReplayedResponse if it is used."""
    key: IdempotencyKey | None = getattr(request.state, "idempotency_key", None)
    if key is None:
        return
    values = {"caller": key.caller, "key": key.key}
    if await session.scalar(_CLAIM, values | {"fingerprint": key.fingerprint}):
        request.state.idempotency_session = session
        return
    row = (await session.execute(_READ, values)).one()
    raise ReplayedResponse(stored_response_for(key, row.fingerprint, row.status, row.body, row.headers))


class IdempotentRoute(StrictQueryRoute):
    """Route class of routers whose POSTs change data through the `Session` dependency. Their 201s carry `Location` if
    the created resource has a URL."""

    _creates_items: bool | None = None
    """Known after the first response, when all routes are."""

    def encode_stored(self, request: Request, body: str) -> str:  # noqa: ARG002 - overridden to encrypt secrets
        """The form in which a response body is stored."""
        return body

    def decode_stored(self, request: Request, stored: str) -> str:  # noqa: ARG002 - as above
        """The response body from its stored form."""
        return stored

    def _add_location(self, request: Request, response: Response) -> None:
        if response.status_code != 201 or "Location" in response.headers:
            return
        if self._creates_items is None:
            self._creates_items = has_item_route(request.app.state.routes, self.path)
        if self._creates_items:
            add_location(request, response)

    def _to_row(self, request: Request, key: IdempotencyKey, response: Response) -> dict[str, Any]:
        headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
        return {
            "caller": key.caller,
            "key": key.key,
            "status": response.status_code,
            "body": self.encode_stored(request, bytes(response.body).decode()),
            "headers": json.dumps(headers) if headers else None,
        }

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if not self.methods or "POST" not in self.methods:
            return handle

        async def handle_once(request: Request) -> Response:
            request.state.idempotency_key = key = await read_key(request)
            try:
                response = await handle(request)
            except ReplayedResponse as replayed:
                # The session may have been requested before the caller's permission was checked, and the caller may
                # have lost the permission since the first request.
                await require_permission(self, await authenticate(request))
                stored = replayed.stored
                response = replace(stored, body=self.decode_stored(request, stored.body)).to_response()
                self._add_location(request, response)
                return response
            self._add_location(request, response)
            session: AsyncSession | None = getattr(request.state, "idempotency_session", None)
            if key is not None and session is not None:
                # Still in the request's transaction: FastAPI closes function-scoped dependencies after the handler.
                await session.execute(_STORE, self._to_row(request, key, response))
            return response

        return handle_once
