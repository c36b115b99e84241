"""Runs what a service consists of: its database, bus, consumers and workers.

One process may do all of it; or several processes of a service share it, of which some serve requests and others do the
background work, which is everything that no request waits for.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import structlog

from stockbuddy.chassis.http.jobs.application import create_job_app
from stockbuddy.chassis.http.jobs.runner import JobRunner
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.response_cache.cache import open_cache
from stockbuddy.chassis.http.service_definition import Service, ServiceParts
from stockbuddy.chassis.http.tokens import FetchJwks, JwksCache, TokenVerifier
from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import Bus
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.messaging.traced_bus import TracedBus
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.maintenance import maintenance_worker
from stockbuddy.chassis.postgres.query_spans import QuerySpans
from stockbuddy.chassis.postgres.read_replica import ReadReplica
from stockbuddy.chassis.postgres.server_clock import server_clock_worker
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.companies import current_company
from stockbuddy.chassis.runtime.failures import Failure
from stockbuddy.chassis.runtime.outages import OutageLog
from stockbuddy.chassis.runtime.settings import JobSettings, ReadReplicaSettings, ServiceSettings
from stockbuddy.chassis.runtime.signals import Signals

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing

log = structlog.get_logger(__name__)


class Work(Enum):
    """What a process does for a service."""

    ALL = "all"
    REQUESTS = "requests"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class BackgroundProcess:
    """The process that does the background work of a service for one that serves its requests."""

    signals: Signals
    fetch_outages: Callable[[], Awaitable[Sequence[Failure]]]
    """What its consumers and workers wait for. Raises DependencyUnavailable if the process does not answer."""


@dataclass(frozen=True, slots=True)
class RunningService:
    """`outages`: of the consumers and workers of this process."""

    parts: ServiceParts
    resources: Resources
    outages: Sequence[OutageLog]

    def failures(self) -> list[Failure]:
        """What the consumers and workers of this process wait for."""
        return [outage.failure for outage in self.outages if outage.failure is not None]


@contextlib.asynccontextmanager
async def run_service(
    service: Service,
    settings: ServiceSettings,
    work: Work,
    *,
    fetch_jwks: FetchJwks,
    bus: Bus | None = None,
    signals: Signals | None = None,
    tracing: ServiceTracing | None = None,
) -> AsyncIterator[RunningService]:
    """Start database, service, bus, relay, consumers and workers in this order; stop them in reverse. `bus`: shared by
    several services in one process. `signals`: shared with the service's other process. `tracing`: is closed at the
    end."""
    async with contextlib.AsyncExitStack() as stack:
        opened = _opened(service, settings, work, fetch_jwks, bus=bus, signals=signals, tracing=tracing)
        resources = await stack.enter_async_context(opened)
        parts = ServiceParts(services=None)
        if service.lifespan is not None:
            parts = await stack.enter_async_context(service.lifespan(resources))
        if bus is None:
            stack.push_async_callback(resources.bus.close)
            await resources.bus.start()
        workers: list[PollingWorker] = [server_clock_worker(resources.database)]
        inboxes: list[Inbox] = []
        if isinstance(resources.reads, ReadReplica):
            workers.append(resources.reads.worker)
        if work is not Work.BACKGROUND:
            workers += parts.request_workers
        if work is not Work.REQUESTS:
            inboxes += [Inbox(resources.database, consumer) for consumer in service.consumers]
            for inbox in inboxes:
                await resources.bus.subscribe(inbox.subscription())
            relay = Relay(resources.database, resources.bus)
            workers += [relay.worker(settings.shutdown_seconds), maintenance_worker(resources.database)]
            workers += [*(inbox.retry_worker() for inbox in inboxes), *parts.workers]
            workers += _job_workers(service, parts, resources)
        for worker in workers:
            await stack.enter_async_context(worker)
        log.info("service.started", service=service.name, work=work.value)
        outages = [inbox.outage for inbox in inboxes] + [worker.outage for worker in workers]
        yield RunningService(parts, replace(resources, verifier=parts.verifier or resources.verifier), outages)
    log.info("service.stopped", service=service.name, work=work.value)


@contextlib.asynccontextmanager
async def _opened(
    service: Service,
    settings: ServiceSettings,
    work: Work,
    fetch_jwks: FetchJwks,
    *,
    bus: Bus | None,
    signals: Signals | None,
    tracing: ServiceTracing | None,
) -> AsyncIterator[Resources]:
    """What the service's lifespan gets. The caller starts and closes the bus."""
    database = open_database(
        settings.database_url,
        service.name,
        pool_size=settings.database_pool_size,
        pooler=settings.pooler,
        signals=signals,
    )
    replica = None if work is Work.BACKGROUND else _open_read_replica(settings, database)
    bus = bus or _create_bus(service, settings, database)
    if tracing is not None:
        for engine in [database.engine, *([replica.engine] if replica else [])]:
            QuerySpans(tracing, service.name).observe(engine)
        bus = TracedBus(bus, tracing)
    _observe_connections(database)
    verifier = TokenVerifier(JwksCache(fetch_jwks), issuer=settings.token_issuer, audience=settings.token_audience)
    async with contextlib.AsyncExitStack() as stack:
        if tracing is not None:
            stack.push_async_callback(tracing.close)
        stack.push_async_callback(database.close)
        if replica is not None:
            stack.push_async_callback(replica.close)
        cache = open_cache(settings, service.name)
        if cache is not None:
            stack.push_async_callback(cache.close)
        yield Resources(settings, database, replica or database, bus, verifier, tracing, cache)


def read_url(settings: ServiceSettings) -> str | None:
    return settings.database_read_url if isinstance(settings, ReadReplicaSettings) else None


def _open_read_replica(settings: ServiceSettings, database: Database) -> ReadReplica | None:
    if not isinstance(settings, ReadReplicaSettings) or settings.database_read_url is None:
        return None
    pool_size, pooler = settings.database_pool_size, settings.read_pooler
    return ReadReplica(settings.database_read_url, database, pool_size=pool_size, pooler=pooler)


def _observe_connections(database: Database) -> None:
    """Read at each scrape, in every process of the service."""
    for state in database.count_connections():
        gauge = metrics.DATABASE_CONNECTIONS.labels(current_company(), database.schema, state)
        gauge.set_function(lambda state=state: database.count_connections()[state])  # type: ignore[misc]


def _job_workers(service: Service, parts: ServiceParts, resources: Resources) -> Sequence[PollingWorker]:
    if service.jobs is None:
        return ()
    settings = resources.settings
    assert isinstance(settings, JobSettings)
    app = create_job_app(service, parts.services, resources)
    return JobRunner(resources, app, service.jobs, settings.job_lease_seconds).workers()


def _create_bus(service: Service, settings: ServiceSettings, database: Database) -> Bus:
    if settings.bus_url is None:
        return InProcessBus()
    return AmqpBus(
        settings.bus_url, name=service.name, shutdown_seconds=settings.shutdown_seconds, archive=Archive(database)
    )
