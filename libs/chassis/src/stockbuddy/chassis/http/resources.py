"""What the chassis opens for every service, and where requests find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection

from stockbuddy.chassis.http.tokens import TokenVerifier
from stockbuddy.chassis.messaging.bus import Bus
from stockbuddy.chassis.runtime.settings import ServiceSettings

if TYPE_CHECKING:  # the gateway has no database and does not load SQLAlchemy
    from stockbuddy.chassis.http.response_cache.cache import ResponseCache
    from stockbuddy.chassis.postgres.database import Database
    from stockbuddy.chassis.postgres.read_replica import ReadReplica
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing


@dataclass(frozen=True, slots=True)
class Resources:
    """Opened before the service's own lifespan starts, closed after it ends. `reads`: for the reads of a request; the
    database itself without a read replica. `tracing`: None if it is off. `cache`: None if it is off, or if the service
    has none."""

    settings: ServiceSettings
    database: Database
    reads: Database | ReadReplica
    bus: Bus
    verifier: TokenVerifier
    tracing: ServiceTracing | None = None
    cache: ResponseCache | None = None


def get_resources(request: HTTPConnection) -> Resources:
    """The resources of the service that handles `request`."""
    return cast(Resources, request.app.state.resources)
