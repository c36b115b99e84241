"""Revoked sessions, polled from auth twice a second, so that a revoked one is rejected within a second.

Why polled and not consumed from the bus: docs/adr/0003.
"""

import time
from collections.abc import Callable
from urllib.parse import quote

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.http.tokens import CLOCK_LEEWAY_SECONDS
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.contracts.internal import REVOCATIONS_PATH, RevocationsResponse
from stockbuddy.gateway.proxy.client import AuthClient

POLL_INTERVAL_SECONDS = 0.5
MAX_RETRY_DELAY_SECONDS = 0.75
"""Below a second, so that a session revoked right after auth has recovered is rejected in time."""
POLL_TIMEOUT_SECONDS = 2.0


class Revocations:
    """Remembers a revoked session for the lifetime of an access token; afterwards none of its tokens is valid."""

    def __init__(self, auth: AuthClient, *, token_ttl_seconds: float) -> None:
        self._auth = auth
        self._token_ttl_seconds = token_ttl_seconds
        self._forget_at: dict[str, float] = {}
        """By session id, oldest first; monotonic clock."""
        self._cursor: str | None = None
        self._listeners: list[Callable[[str], None]] = []
        self.is_loaded = False
        """False until auth has responded once."""
        self.worker = PollingWorker(
            "revocations",
            self._poll,
            interval_seconds=POLL_INTERVAL_SECONDS,
            max_retry_delay_seconds=MAX_RETRY_DELAY_SECONDS,
        )

    def on_revoked(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the id of each session revoked from now on."""
        self._listeners.append(listener)

    def require_loaded(self) -> None:
        """Raises Unavailable before the first response: a token revoked earlier could not be recognised."""
        if not self.is_loaded:
            raise Unavailable("Sessions can't be checked at the moment.")

    def is_revoked(self, session_id: str) -> bool:
        return session_id in self._forget_at

    async def _poll(self) -> None:
        query = f"after={quote(self._cursor, safe='')}" if self._cursor is not None else ""
        response = await self._auth.call("GET", REVOCATIONS_PATH, query=query, timeout_seconds=POLL_TIMEOUT_SECONDS)
        if response.status in (400, 422):
            self._cursor = None  # auth does not accept the cursor: start again with all revocations
        if response.status != 200:
            raise DependencyUnavailable(f"auth responded with {response.status}")
        revocations = RevocationsResponse.model_validate_json(response.body)
        self._add(revocations.session_ids)
        self._cursor = revocations.cursor
        self.is_loaded = True

    def _add(self, session_ids: list[str]) -> None:
        now = time.monotonic()
        for session_id in session_ids:
            if session_id not in self._forget_at:
                for listener in self._listeners:
                    listener(session_id)
            self._forget_at.pop(session_id, None)
            self._forget_at[session_id] = now + self._token_ttl_seconds + CLOCK_LEEWAY_SECONDS
        while self._forget_at and self._forget_at[oldest := next(iter(self._forget_at))] <= now:
            del self._forget_at[oldest]
