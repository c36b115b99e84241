"""Assembles a service: FastAPI with the chassis' errors, health and metrics, and the background workers.

`create_app` is the single call of a service's composition root.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.chassis.http.access_denied_audit import record_and_respond
from stockbuddy.chassis.http.direct_routes import DirectRoutes
from stockbuddy.chassis.http.errors import Forbidden, install_problem_handlers
from stockbuddy.chassis.http.health import health_router
from stockbuddy.chassis.http.openapi.document import DocumentedAPI
from stockbuddy.chassis.http.permissions import declare_permissions
from stockbuddy.chassis.http.request_context import RequestContextMiddleware
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.status import status_router
from stockbuddy.chassis.http.tokens import FetchJwks, JwksCache, TokenVerifier, fetch_jwks_over_http
from stockbuddy.chassis.messaging import queue_metrics
from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import Bus, BusUnavailable
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.handlers import Consumer
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.maintenance import maintenance_worker
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.access_log import AccessLog
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import DATABASE, DependencyUnavailable
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter
from stockbuddy.chassis.runtime.settings import ServiceSettings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What a service's lifespan opens. `services` is the service's own typed dataclass, available to its requests as
    `app.state.services`; `workers` run until shutdown; `verifier` replaces the chassis' one (auth verifies with its
    own keys)."""

    services: Any
    workers: Sequence[PollingWorker] = ()
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
    document: Path | None = None
    """The generated OpenAPI document; without it, it is composed when it is first read."""


def create_app(
    service: Service,
    settings: ServiceSettings,
    *,
    bus: Bus | None = None,
    fetch_jwks: FetchJwks | None = None,
) -> FastAPI:
    """The service as an ASGI app. `bus`: shared by several services in one process. `fetch_jwks`: for signing keys
    that are available without the network."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, service, settings, bus, fetch_jwks or fetch_jwks_over_http(settings.jwks_url)):
            yield

    app = DocumentedAPI(
        title=service.title,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.texts, app.document = service.texts, service.document
    access_log = AccessLog(service.name, settings)
    # The last one added is called first.
    app.add_middleware(DirectRoutes, routes=[route for router in service.routers for route in router.routes])
    app.add_middleware(RequestContextMiddleware, service=service.name, access_log=access_log)
    # Without the bus sales continue: events wait in the outbox.
    checks = {"database": lambda: _require_database(app), "bus": lambda: _require_bus(app)}
    health = health_router(checks, essential={"database"})
    health.add_api_route("/openapi.json", app.get_document, methods=["GET", "HEAD"], include_in_schema=False)
    health.add_api_route("/metrics", _metrics_endpoint(service), methods=["GET", "HEAD"], include_in_schema=False)
    install_problem_handlers(app, [route for router in (*service.routers, health) for route in router.routes])
    app.add_exception_handler(Forbidden, record_and_respond)
    app.state.denials = RepetitionCounter()
    for router in service.routers:
        declare_permissions(router)
        # Not included as routers: FastAPI would analyse every route a second time, and match requests twice.
        for route in router.routes:
            if isinstance(route, APIRoute):
                route.unique_id = route.name
            app.router.routes.append(route)
    status = status_router(service.name, [consumer.group for consumer in service.consumers])
    declare_permissions(status)
    app.include_router(status)
    app.include_router(health)
    return app


def _metrics_endpoint(service: Service) -> Callable[[Request], Any]:
    groups = [consumer.group for consumer in service.consumers]

    async def get_metrics(request: Request) -> Response:
        await queue_metrics.collect(request.app.state.resources.database, groups)
        return await metrics.metrics_page()

    return get_metrics


async def _require_database(app: FastAPI) -> None:
    """A full disk or a missing privilege shows only in what the consumers and workers wait for."""
    await app.state.resources.database.ping()
    for outage in app.state.outages:
        failure = outage.failure
        if failure is not None and failure.dependency == DATABASE and failure.affects_everything:
            raise DependencyUnavailable(str(failure), dependency=DATABASE, reason=failure.reason)


async def _require_bus(app: FastAPI) -> None:
    if not app.state.resources.bus.is_ready:
        raise BusUnavailable("not connected")


@contextlib.asynccontextmanager
async def _running(
    app: FastAPI, service: Service, settings: ServiceSettings, shared_bus: Bus | None, fetch_jwks: FetchJwks
) -> AsyncIterator[None]:
    """Start database, service, bus, relay, consumers and workers in this order; stop them in reverse."""
    database = open_database(settings.database_url, service.name, pool_size=settings.database_pool_size)
    bus = shared_bus or _create_bus(service, settings, database)
    verifier = TokenVerifier(JwksCache(fetch_jwks), issuer=settings.token_issuer, audience=settings.token_audience)
    resources = Resources(settings, database, bus, verifier)
    inboxes = [Inbox(database, consumer) for consumer in service.consumers]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        parts = ServiceParts(services=None)
        if service.lifespan is not None:
            parts = await stack.enter_async_context(service.lifespan(resources))
        app.state.services = parts.services
        app.state.resources = replace(resources, verifier=parts.verifier or verifier)
        if shared_bus is None:
            stack.push_async_callback(bus.close)
            await bus.start()
        for inbox in inboxes:
            await bus.subscribe(inbox.subscription())
        relay = Relay(database, bus)
        own_workers = [relay.worker(settings.shutdown_seconds), maintenance_worker(database)]
        workers = [*own_workers, *(inbox.retry_worker() for inbox in inboxes), *parts.workers]
        app.state.outages = [inbox.outage for inbox in inboxes] + [worker.outage for worker in workers]
        for worker in workers:
            await stack.enter_async_context(worker)
        log.info("service.started", service=service.name)
        yield
    log.info("service.stopped", service=service.name)


def _create_bus(service: Service, settings: ServiceSettings, database: Database) -> Bus:
    if settings.bus_url is None:
        return InProcessBus()
    return AmqpBus(
        settings.bus_url, name=service.name, shutdown_seconds=settings.shutdown_seconds, archive=Archive(database)
    )
