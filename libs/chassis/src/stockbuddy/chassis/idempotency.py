"""Retry safety: a POST that carries an `Idempotency-Key` has its effect once and gives its first answer ever after.

The key is claimed in the same transaction as the effect: a duplicate that arrives meanwhile waits on the unique index
for that transaction, then finds its answer, or, if it was refused and rolled back, goes ahead itself.
"""

import hashlib
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.errors import Unprocessable
from stockbuddy.chassis.identity import authenticate

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
LONGEST_KEY = 255


class IdempotencyKeyReused(Unprocessable):
    """This idempotency key was used before, with another request."""

    code = "idempotency_key_reused"


class IdempotencyKeyInvalid(Unprocessable):
    """An idempotency key has 1 to 255 characters."""

    code = "idempotency_key_invalid"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key and the digest of the request it came with. `caller` keeps callers' keys apart."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was told: `body` is the response's bytes as text."""

    status: int
    body: str

    def response(self) -> Response:
        headers = {REPLAYED_HEADER: "true"}
        return Response(self.body or None, self.status, headers, media_type="application/json")


class AnsweredBefore(Exception):
    """The request repeats one that was accepted; `answer` is what that one was told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__()


async def read_key(request: Request) -> IdempotencyKey | None:
    """The request's key, or None without one or without credentials: keys belong to callers."""
    key = request.headers.get(HEADER)
    if key is None or "authorization" not in request.headers:
        return None
    if not 0 < len(key) <= LONGEST_KEY:
        raise IdempotencyKeyInvalid()
    caller = await authenticate(request)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    body = _without_boundary(await request.body(), request.headers.get("content-type", ""))
    return IdempotencyKey(str(caller.user_id), key, fingerprint(request.method, target, body))


def _without_boundary(body: bytes, content_type: str) -> bytes:
    """A form that is sent again has its parts parted by another random line."""
    kind, _, boundary = content_type.partition("boundary=")
    is_form = kind.strip().lower().startswith("multipart/") and boundary
    return body.replace(boundary.strip('"').encode(), b"") if is_form else body


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """A digest under which equal JSON is equal, whatever its spacing and order of members."""
    try:
        canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode() if body else b""
    except (ValueError, RecursionError):
        canonical = body
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), canonical))).digest()


_CLAIM = text("""
    INSERT INTO idempotency_key (caller, key, fingerprint) VALUES (:caller, :key, :fingerprint)
    ON CONFLICT (caller, key) DO NOTHING RETURNING true
""")
_READ = text("SELECT fingerprint, status, body FROM idempotency_key WHERE caller = :caller AND key = :key")
_REMEMBER = text("""
    UPDATE idempotency_key SET status = :status, body = :body WHERE caller = :caller AND key = :key
""")


def answer_for(key: IdempotencyKey, stored_fingerprint: bytes, status: int, body: str) -> Answer:
    """The stored answer, if it was given to the same request. Raises IdempotencyKeyReused."""
    if stored_fingerprint != key.fingerprint:
        raise IdempotencyKeyReused()
    return Answer(status, body)


async def claim(session: AsyncSession, request: Request) -> None:
    """Claim the request's key (set by `IdempotentRoute`) within `session`. Raises AnsweredBefore for a repetition."""
    key: IdempotencyKey | None = getattr(request.state, "idempotency_key", None)
    if key is None:
        return
    values = {"caller": key.caller, "key": key.key}
    if await session.scalar(_CLAIM, values | {"fingerprint": key.fingerprint}):
        request.state.idempotency_session = session
        return
    row = (await session.execute(_READ, values)).one()
    raise AnsweredBefore(answer_for(key, row.fingerprint, row.status, row.body))


class IdempotentRoute(APIRoute):
    """The route class of every router whose POSTs change something through the `Session` dependency."""

    def stored_answer(self, request: Request, body: str) -> str:  # noqa: ARG002 - for routes whose answers are secret
        """What is kept of an answer."""
        return body

    def told_answer(self, request: Request, stored: str) -> str:  # noqa: ARG002 - as above
        """The answer again, from what was kept of it."""
        return stored

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if not self.methods or "POST" not in self.methods:
            return handle

        async def handle_once(request: Request) -> Response:
            request.state.idempotency_key = key = await read_key(request)
            try:
                response = await handle(request)
            except AnsweredBefore as repetition:
                answer = repetition.answer
                return Answer(answer.status, self.told_answer(request, answer.body)).response()
            session: AsyncSession | None = getattr(request.state, "idempotency_session", None)
            if key is not None and session is not None:
                # Still inside the request's transaction: FastAPI closes function-scoped dependencies after this.
                body = self.stored_answer(request, bytes(response.body).decode())
                await session.execute(
                    _REMEMBER, {"caller": key.caller, "key": key.key, "status": response.status_code, "body": body}
                )
            return response

        return handle_once
