"""The service's part of `GET /system/status`, on a path that the public port does not route."""

from collections.abc import Sequence

from fastapi import APIRouter, Request

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.messaging.queue_metrics import read_queues
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.latency import measure_latency
from stockbuddy.chassis.runtime.release import VERSION
from stockbuddy.contracts.status import STATUS_PATH, ServiceDetails


def status_router(service: str, groups: Sequence[str]) -> APIRouter:
    """`groups`: the service's consumer groups."""
    router = APIRouter(include_in_schema=False)
    started_at = clock.now()

    @router.get(STATUS_PATH, dependencies=[requires(Permission.SYSTEM_READ)])
    async def get_details(request: Request) -> ServiceDetails:
        outbox, queues = await read_queues(get_resources(request).database, groups)
        return ServiceDetails(
            version=VERSION,
            started_at=started_at,
            outbox=outbox,
            queues=queues,
            latency=measure_latency(service),
        )

    return router
