"""Readiness: every service is ready, and revocations are loaded. Names the part that is not ready, not the cause."""

import asyncio
from collections.abc import Callable, Mapping

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.gateway.proxy.client import call
from stockbuddy.gateway.proxy.upstream import Upstream

CHECK_TIMEOUT_SECONDS = 2.5
CACHE_TTL_SECONDS = 0.5
"""The check is public and calls every service, so concurrent clients share a result."""


class HealthCheck:
    def __init__(self, upstreams: Mapping[str, Upstream], are_revocations_loaded: Callable[[], bool]) -> None:
        self._upstreams = upstreams
        self._are_revocations_loaded = are_revocations_loaded
        self._lock = asyncio.Lock()
        self._states: dict[str, str] = {}
        self._checked_at = float("-inf")

    async def states(self) -> dict[str, str]:
        """`ok` or `unavailable`, by service."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._checked_at > CACHE_TTL_SECONDS:
                states = await asyncio.gather(*map(_check, self._upstreams.values()))
                self._states = dict(zip(self._upstreams, states, strict=True))
                self._checked_at = asyncio.get_running_loop().time()
            return self._states if self._are_revocations_loaded() else self._states | {"auth": "unavailable"}


async def _check(upstream: Upstream) -> str:
    try:
        response = await call(upstream, "GET", "/health/ready", timeout_seconds=CHECK_TIMEOUT_SECONDS)
    except DependencyUnavailable:
        return "unavailable"
    return "ok" if response.status == 200 else "unavailable"
