"""`GET /system/status`: the health of every service with its outbox, queues, latency and version.

Each service reports its own part to a caller with `system.read`, whose token the gateway passes on; an unavailable
service is reported without details.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.http.errors import problem_response
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.latency import measure_latency
from stockbuddy.chassis.runtime.release import VERSION
from stockbuddy.contracts.status import STATUS_PATH, Latency, ServiceDetails
from stockbuddy.gateway.errors import MethodNotAllowed
from stockbuddy.gateway.health import HealthCheck, ServiceHealth, Status
from stockbuddy.gateway.proxy.client import call
from stockbuddy.gateway.proxy.upstream import Upstream

TIMEOUT_SECONDS = 3.0
GATEWAY = "gateway"


class ServiceState(ServiceHealth):
    """The health of a service, and what one of its replicas reports."""

    replicas: int = Field(description="How many replicas the gateway knows.")
    reachable_replicas: int = Field(description="How many of them receive requests at present.")
    details: ServiceDetails | None = Field(description="What a replica reports; null if none responds.")


class GatewayState(BaseModel):
    """The replica of the gateway that has responded."""

    version: str = Field(description="Version of the release.")
    started_at: datetime = Field(description="When it has started, in UTC.")
    latency: Latency = Field(description="Response times, as clients see them.")


class SystemStatus(BaseModel):
    """The state of the whole system, for operators."""

    status: Status = Field(description="The worst one of the services.")
    gateway: GatewayState = Field(
        description="The replica of the gateway that answered: its version, and how long its requests take."
    )
    services: dict[str, ServiceState] = Field(description="Each service by name.")


class StatusReport:
    """The upstream of the gateway's own route, behind the same admission as the services'."""

    def __init__(self, upstreams: Mapping[str, Upstream], health: HealthCheck) -> None:
        self._upstreams = upstreams
        self._health = health
        self._started_at = clock.now()

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def replicas(self) -> tuple[int, int]:
        return 1, 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await problem_response(MethodNotAllowed("GET, HEAD, OPTIONS"))(scope, receive, send)
            return
        status = await self._compose(Headers(scope=scope)["authorization"])
        headers = {"Cache-Control": "no-store"}
        response = Response(status.model_dump_json(), media_type="application/json", headers=headers)
        await response(scope, receive, send)

    async def _compose(self, authorization: str) -> SystemStatus:
        health, found = await asyncio.gather(
            self._health.check(),
            asyncio.gather(*(_read_details(one, authorization) for one in self._upstreams.values())),
        )
        services = {
            name: _state(health.services[name], upstream, details)
            for (name, upstream), details in zip(self._upstreams.items(), found, strict=True)
        }
        gateway = GatewayState(version=VERSION, started_at=self._started_at, latency=measure_latency(GATEWAY))
        return SystemStatus(status=health.status, gateway=gateway, services=services)


def _state(health: ServiceHealth, upstream: Upstream, details: ServiceDetails | None) -> ServiceState:
    known, reachable = upstream.replicas
    return ServiceState(**dict(health), replicas=known, reachable_replicas=reachable, details=details)


async def _read_details(upstream: Upstream, authorization: str) -> ServiceDetails | None:
    try:
        response = await call(
            upstream, "GET", STATUS_PATH, timeout_seconds=TIMEOUT_SECONDS, authorization=authorization
        )
        return ServiceDetails.model_validate_json(response.body)
    except (DependencyUnavailable, ValidationError):
        return None
