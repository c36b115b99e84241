"""Turns what is no token (a machine's API key, a browser's session cookie) into one that services verify.

Auth is asked once for as long as the token lives; an answer of no is remembered shortly. Both are kept under a hash,
so that a copy of this process's memory holds no keys.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import structlog

from stockbuddy.chassis.http.errors import Problem, Unauthenticated, Unavailable
from stockbuddy.gateway.upstream.port import Upstream, ask

log = structlog.get_logger(__name__)

PATH = "/internal/token-exchange"
MOST_REMEMBERED = 10_000
REFUSAL_SECONDS = 5.0
ANSWER_SECONDS = 5.0
MARGIN = 0.2
LEAST_MARGIN_SECONDS = 2.0
"""The part of a token's life that is left when a new one is asked for, so that none expires on its way to a service.
Expiry is in whole seconds, and clocks differ."""

Kind = Literal["api_key", "session_cookie"]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """`csrf_token` is what a browser must repeat in a header, as far as auth says."""

    access_token: str
    csrf_token: str | None
    good_until: float
    """By the monotonic clock."""


class Exchange:
    def __init__(self, auth: Upstream) -> None:
        self._auth = auth
        self._tokens: OrderedDict[bytes, Exchanged] = OrderedDict()
        self._refused_until: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Exchanged | None]] = {}

    def remembered(self, kind: Kind, secret: str) -> Exchanged | None:
        """The token for `secret`, if it is known. Raises Unauthenticated when it is known to be no good."""
        digest, now = _digest(kind, secret), time.monotonic()
        found = self._tokens.get(digest)
        if found is not None and found.good_until > now:
            return found
        if self._refused_until.get(digest, 0.0) > now:
            raise _refusal(kind)
        return None

    def forget(self, kind: Kind, secret: str) -> None:
        """The token for `secret` is no good any more, though it has not expired."""
        self._tokens.pop(_digest(kind, secret), None)

    async def ask(self, kind: Kind, secret: str) -> Exchanged:
        """The token for `secret`, from auth; many who ask at once share one answer. Raises Unauthenticated,
        Unavailable."""
        digest = _digest(kind, secret)
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._asking[digest] = asyncio.create_task(self._ask(kind, secret, digest))
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        exchanged = await asyncio.shield(asking)
        if exchanged is None:
            raise _refusal(kind)
        return exchanged

    async def _ask(self, kind: Kind, secret: str, digest: bytes) -> Exchanged | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = await ask(self._auth, "POST", PATH, document={kind: secret})
            if reply.status in (400, 401, 422):
                _remember(self._refused_until, digest, time.monotonic() + REFUSAL_SECONDS)
                return None
            if reply.status != 200:
                raise OSError(f"auth answered {reply.status}")
            document = reply.document
            exchanged = Exchanged(
                str(document["access_token"]),
                document.get("csrf_token"),
                time.monotonic() + _good_for_seconds(float(document["expires_in"])),
            )
        except (Problem, OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
            log.warning("exchange.failed", kind=kind, error=repr(error))
            raise Unavailable("Credentials can't be checked at the moment.") from error
        _remember(self._tokens, digest, exchanged)
        return exchanged


def _good_for_seconds(lifetime: float) -> float:
    return lifetime - max(lifetime * MARGIN, LEAST_MARGIN_SECONDS)


def _remember(known: "OrderedDict[bytes, Exchanged] | OrderedDict[bytes, float]", digest: bytes, value: object) -> None:
    known.pop(digest, None)
    known[digest] = value  # type: ignore[assignment]
    if len(known) > MOST_REMEMBERED:
        known.popitem(last=False)


def _digest(kind: Kind, secret: str) -> bytes:
    return hashlib.sha256(f"{kind}:{secret}".encode()).digest()


def _refusal(kind: Kind) -> Unauthenticated:
    return Unauthenticated("The API key is not valid." if kind == "api_key" else "The session has ended.")
