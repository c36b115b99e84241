"""Assembles a service: FastAPI with the chassis' errors, health and metrics, and the background workers.

`create_app` is the single call of a service's composition root.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.chassis.http.access_denied_audit import record_and_respond
from stockbuddy.chassis.http.direct_routes import DirectRoutes
from stockbuddy.chassis.http.errors import Forbidden, install_problem_handlers
from stockbuddy.chassis.http.health import health_router
from stockbuddy.chassis.http.openapi.document import DocumentedAPI
from stockbuddy.chassis.http.permissions import declare_permissions
from stockbuddy.chassis.http.replica_reads import ReplicaReads, WritePositions
from stockbuddy.chassis.http.request_context import RequestContextMiddleware
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.http.service_runtime import BackgroundProcess, Work, read_url, run_service
from stockbuddy.chassis.http.status import status_router
from stockbuddy.chassis.http.tokens import FetchJwks, fetch_jwks_over_http
from stockbuddy.chassis.http.traced_requests import TracedRequests
from stockbuddy.chassis.messaging import queue_metrics
from stockbuddy.chassis.messaging.bus import Bus, BusUnavailable
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.access_log import AccessLog
from stockbuddy.chassis.runtime.failures import DATABASE, DependencyUnavailable, Failure
from stockbuddy.chassis.runtime.repetitions import RepetitionCounter
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.runtime.traces import tracing_of


def create_app(
    service: Service,
    settings: ServiceSettings,
    *,
    bus: Bus | None = None,
    fetch_jwks: FetchJwks | None = None,
    background: BackgroundProcess | None = None,
) -> FastAPI:
    """The service as an ASGI app. `bus`: shared by several services in one process. `fetch_jwks`: for signing keys
    that are available without the network. `background`: does the background work instead of this process."""

    tracing = tracing_of(service.name)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with run_service(
            service,
            settings,
            Work.ALL if background is None else Work.REQUESTS,
            fetch_jwks=fetch_jwks or fetch_jwks_over_http(settings.jwks_url, settings.company),
            bus=bus,
            signals=background.signals if background else None,
            tracing=tracing,
        ) as running:
            app.state.services, app.state.resources = running.parts.services, running.resources
            app.state.running = running
            yield

    app = DocumentedAPI(
        title=service.title,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # docs/adr/0038
    )
    app.texts, app.document = service.texts, service.document
    access_log = AccessLog(service.name, settings)
    # The last one added is called first.
    app.add_middleware(DirectRoutes, routes=[route for router in service.routers for route in router.routes])
    if read_url(settings) is not None:
        app.add_middleware(ReplicaReads, service=service.name)
    if tracing is None:
        app.add_middleware(RequestContextMiddleware, service=service.name, access_log=access_log)
    else:
        app.add_middleware(TracedRequests, service=service.name, access_log=access_log, tracing=tracing)
    if read_url(settings) is not None:
        app.add_middleware(WritePositions, service=service.name)
    # Without the bus sales continue: events wait in the outbox.
    checks = {"database": lambda: _require_database(app), "bus": lambda: _require_bus(app)}
    if background is not None:
        checks["background"] = partial(_require_background, background)
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
        return await metrics.metrics_page(request)

    return get_metrics


async def _require_database(app: FastAPI) -> None:
    """A full disk or a missing privilege shows only in what the consumers and workers wait for."""
    await app.state.resources.database.ping()
    _require_no_outage(app.state.running.failures())


async def _require_background(background: BackgroundProcess) -> None:
    """Without it sales continue, and their events wait."""
    _require_no_outage(await background.fetch_outages())


def _require_no_outage(failures: Sequence[Failure]) -> None:
    for failure in failures:
        if failure.dependency == DATABASE and failure.affects_everything:
            raise DependencyUnavailable(str(failure), dependency=DATABASE, reason=failure.reason)


async def _require_bus(app: FastAPI) -> None:
    if not app.state.resources.bus.is_ready:
        raise BusUnavailable("not connected")
