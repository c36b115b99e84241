"""Which sessions have ended: asked of auth four times a second, so that an ended one is refused within a second.

Why it asks rather than hears of it on the bus: docs/adr/0003.
"""

import asyncio
import random
import time
from collections.abc import Callable
from urllib.parse import quote

import structlog

from stockbuddy.chassis.http.errors import Problem, Unavailable
from stockbuddy.gateway.upstream.port import Upstream, ask

log = structlog.get_logger(__name__)

PATH = "/internal/revoked-sessions"
POLL_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 0.75
"""While auth is away; nobody can end a session then, and it is noticed soon enough when it is back."""
ANSWER_SECONDS = 2.0


class Revocations:
    """Remembers an ended session for as long as an access token of it may live; then no token of it is valid anyway."""

    def __init__(self, auth: Upstream, *, remember_seconds: float) -> None:
        self._auth = auth
        self._remember_seconds = remember_seconds
        self._forget_at: dict[str, float] = {}
        self._cursor: str | None = None
        self._listeners: list[Callable[[str], None]] = []
        self.known = False

    def when_ended(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the id of each session that ends from now on."""
        self._listeners.append(listener)

    def refuse_if_unknown(self) -> None:
        """Before the first answer nothing is known, and a token that was ended yesterday must not pass."""
        if not self.known:
            raise Unavailable("Sessions can't be checked at the moment.")

    def has_ended(self, session_id: str) -> bool:
        return session_id in self._forget_at

    async def run(self) -> None:
        pause = POLL_SECONDS
        while True:
            try:
                await self.refresh()
                pause = POLL_SECONDS
            except (Problem, OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
                if pause == POLL_SECONDS:
                    log.warning("revocations.unreachable", error=repr(error))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS) * random.uniform(0.7, 1.0)
            await asyncio.sleep(pause)

    async def refresh(self) -> None:
        """Raises Problem, OSError, TimeoutError, ValueError, KeyError or TypeError when auth gives no proper answer."""
        query = f"after={quote(self._cursor, safe='')}" if self._cursor is not None else ""
        async with asyncio.timeout(ANSWER_SECONDS):
            reply = await ask(self._auth, "GET", PATH, query=query)
        if reply.status in (400, 422):
            self._cursor = None  # a cursor that auth no longer knows: begin again with all of them
        if reply.status != 200:
            raise OSError(f"auth answered {reply.status}")
        document = reply.document
        self._remember(document["session_ids"])
        self._cursor = str(document["cursor"])
        self.known = True

    def _remember(self, session_ids: list[str]) -> None:
        now = time.monotonic()
        for session_id in session_ids:
            if session_id not in self._forget_at:
                for listener in self._listeners:
                    listener(session_id)
            self._forget_at.pop(session_id, None)
            self._forget_at[session_id] = now + self._remember_seconds
        while self._forget_at and self._forget_at[oldest := next(iter(self._forget_at))] <= now:
            del self._forget_at[oldest]
