"""What a service consists of. `http.app` and `http.service_runtime` assemble it."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from stockbuddy.chassis.http.jobs.definition import JobDefinition
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.tokens import TokenVerifier
from stockbuddy.chassis.messaging.handlers import Consumer
from stockbuddy.chassis.runtime.background import PollingWorker


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What a service's lifespan opens. `services` is the service's own typed dataclass, available to its requests as
    `app.state.services`. Until shutdown, `workers` run where the service's background work runs, `request_workers` in
    every process that serves requests. `verifier` replaces the chassis' one (auth verifies with its own keys)."""

    services: Any
    workers: Sequence[PollingWorker] = ()
    request_workers: Sequence[PollingWorker] = ()
    verifier: TokenVerifier | None = None


Lifespan = Callable[[Resources], contextlib.AbstractAsyncContextManager[ServiceParts]]


@dataclass(frozen=True, slots=True)
class Service:
    """The definition of a service. Its name is also its database schema and the first word of its event types."""

    name: str
    title: str
    routers: Sequence[APIRouter]
    consumers: Sequence[Consumer] = ()
    lifespan: Lifespan | None = None
    texts: Path | None = None
    """Descriptions for the OpenAPI document; see `http.openapi.texts`."""
    jobs: JobDefinition | None = None
    """Of a service that has the routes and tables of jobs."""
    document: Path | None = None
    """The generated OpenAPI document; without it, it is composed when it is first read."""
