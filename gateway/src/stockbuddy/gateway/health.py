"""Readiness: the status of every service and its parts, without causes. Degraded is ready: without the broker, for
instance, sales continue, and their events leave later."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.gateway.proxy.client import call
from stockbuddy.gateway.proxy.upstream import Upstream

CHECK_TIMEOUT_SECONDS = 2.5
CACHE_TTL_SECONDS = 0.5
"""The check is public and calls every service, so concurrent clients share a result."""

Status = Literal["ok", "degraded", "unavailable"]


class ServiceHealth(BaseModel):
    """What a service returns at `/health/ready`; `parts` by name."""

    status: Status = Field(description="`degraded`: it serves requests, although a part is unavailable.")
    parts: dict[str, str] = Field(
        default={}, description="The state of each part by name: `ok`, or a code of the failure."
    )


class SystemHealth(BaseModel):
    """`status` is the worst one of `services`."""

    status: Status = Field(description="The worst one of the services.")
    services: dict[str, ServiceHealth] = Field(description="Each service by name, with its parts.")


_UNAVAILABLE = ServiceHealth(status="unavailable")


class HealthCheck:
    def __init__(self, upstreams: Mapping[str, Upstream], are_revocations_loaded: Callable[[], bool]) -> None:
        self._upstreams = upstreams
        self._are_revocations_loaded = are_revocations_loaded
        self._lock = asyncio.Lock()
        self._services: dict[str, ServiceHealth] = {}
        self._checked_at = float("-inf")

    async def check(self) -> SystemHealth:
        """Auth is unavailable, too, until its revocations are loaded."""
        async with self._lock:
            if asyncio.get_running_loop().time() - self._checked_at > CACHE_TTL_SECONDS:
                found = await asyncio.gather(*map(_check, self._upstreams.values()))
                self._services = dict(zip(self._upstreams, found, strict=True))
                self._checked_at = asyncio.get_running_loop().time()
            services = self._services
        if not self._are_revocations_loaded():
            services = services | {"auth": _UNAVAILABLE}
        return SystemHealth(status=_worst({service.status for service in services.values()}), services=services)


async def _check(upstream: Upstream) -> ServiceHealth:
    try:
        response = await call(upstream, "GET", "/health/ready", timeout_seconds=CHECK_TIMEOUT_SECONDS)
        return ServiceHealth.model_validate_json(response.body)
    except (DependencyUnavailable, ValidationError):
        return _UNAVAILABLE


def _worst(found: set[Status]) -> Status:
    statuses: tuple[Status, ...] = ("unavailable", "degraded")
    return next((status for status in statuses if status in found), "ok")
