"""Ready when every service is, and when it is known which sessions have ended: says which part is not, and nothing
about why."""

import asyncio
from collections.abc import Callable, Mapping

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.gateway.upstream.port import Upstream, ask

CHECK_SECONDS = 2.5
REMEMBER_SECONDS = 0.5
"""The check costs every service a call and is public, so many who ask at once share one."""


class Health:
    def __init__(self, upstreams: Mapping[str, Upstream], are_sessions_known: Callable[[], bool]) -> None:
        self._upstreams = upstreams
        self._are_sessions_known = are_sessions_known
        self._checking = asyncio.Lock()
        self._parts: dict[str, str] = {}
        self._checked_at = float("-inf")

    async def parts(self) -> dict[str, str]:
        """Each service, `ok` or `unavailable`."""
        async with self._checking:
            now = asyncio.get_running_loop().time()
            if now - self._checked_at > REMEMBER_SECONDS:
                states = await asyncio.gather(*map(_state, self._upstreams.values()))
                self._parts = dict(zip(self._upstreams, states, strict=True))
                self._checked_at = asyncio.get_running_loop().time()
            return self._parts if self._are_sessions_known() else self._parts | {"auth": "unavailable"}


async def _state(upstream: Upstream) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reply = await ask(upstream, "GET", "/health/ready")
    except (Problem, OSError, TimeoutError):
        return "unavailable"
    return "ok" if reply.status == 200 else "unavailable"
