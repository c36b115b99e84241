"""Puts a service together: FastAPI with our errors, health and metrics, and the work that runs beside the requests.

`create_app` is the composition root's one call; `serve` is what `python -m stockbuddy.<service>` does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.chassis import metrics
from stockbuddy.chassis.archive import Archive
from stockbuddy.chassis.backlog import measure
from stockbuddy.chassis.bus import Bus
from stockbuddy.chassis.bus.amqp import AmqpBus
from stockbuddy.chassis.bus.inprocess import InProcessBus
from stockbuddy.chassis.database import Database, is_database_away
from stockbuddy.chassis.denials import answer_forbidden
from stockbuddy.chassis.documents import PROBLEM_RESPONSES, DocumentedAPI
from stockbuddy.chassis.errors import Forbidden, install_problem_handlers
from stockbuddy.chassis.health import health_router
from stockbuddy.chassis.identity import FetchKeys, Keyring, TokenVerifier, keys_over_http
from stockbuddy.chassis.inbox import Consumer, Inbox
from stockbuddy.chassis.logs import configure_logs
from stockbuddy.chassis.permissions import declare_permissions
from stockbuddy.chassis.process import prepare_to_serve
from stockbuddy.chassis.relay import Relay
from stockbuddy.chassis.requests import RequestContext
from stockbuddy.chassis.settings import ServiceSettings
from stockbuddy.chassis.stopping import PoliteServer
from stockbuddy.chassis.upkeep import run_upkeep

log = structlog.get_logger(__name__)

RESTART_SECONDS = 1.0
CANCEL_SECONDS = 3.0


class Background(Protocol):
    """Work that runs beside the requests until it is cancelled; `app.state.database` is ready when it starts."""

    __qualname__: str

    async def __call__(self, app: FastAPI, /) -> None: ...


Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """What makes one service: its name is its schema and its place in event types."""

    name: str
    title: str
    routers: Sequence[APIRouter]
    consumers: Sequence[Consumer] = ()
    background: Sequence[Background] = ()
    lifespan: Lifespan | None = None
    """Opens what the service's requests need beside the database (as attributes of `app.state`)."""


def create_app(
    service: Service,
    settings: ServiceSettings,
    *,
    bus: Bus | None = None,
    fetch_keys: FetchKeys | None = None,
) -> FastAPI:
    """The service as an ASGI app. `bus` is given when several services share a process; `fetch_keys` when
    the signing keys need no network."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, service, settings, bus):
            yield

    app = DocumentedAPI(
        title=service.title,
        responses=PROBLEM_RESPONSES,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
    )
    app.state.settings = settings
    app.state.verifier = TokenVerifier(
        Keyring(fetch_keys or keys_over_http(settings.jwks_url)),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
    )
    app.add_middleware(RequestContext, service=service.name)
    install_problem_handlers(app, [route for router in service.routers for route in router.routes])
    app.add_exception_handler(Forbidden, answer_forbidden)
    for router in service.routers:
        declare_permissions(router)
        app.include_router(router)
    app.include_router(health_router({"database": lambda: _ping(app), "bus": lambda: _bus_ready(app)}))
    app.state.groups = [consumer.group for consumer in service.consumers]
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


async def _metrics(request: Request) -> Response:
    await measure(request.app.state.database, request.app.state.groups)
    return await metrics.metrics_page()


async def _ping(app: FastAPI) -> None:
    await app.state.database.ping()


async def _bus_ready(app: FastAPI) -> None:
    if not app.state.bus.is_ready:
        raise ConnectionError("the bus is away")


@contextlib.asynccontextmanager
async def _running(
    app: FastAPI, service: Service, settings: ServiceSettings, shared_bus: Bus | None
) -> AsyncIterator[None]:
    """Database, bus, relay, consumers and background work: started in this order, ended in the other."""
    database = Database(settings.database_url, service.name, pool_size=settings.database_pool_size)
    bus = shared_bus or _own_bus(service, settings, database)
    app.state.database, app.state.bus = database, bus
    relay = Relay(database, bus)
    inboxes = [Inbox(database, consumer) for consumer in service.consumers]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        if service.lifespan is not None:
            await stack.enter_async_context(service.lifespan(app))
        if shared_bus is None:
            stack.push_async_callback(bus.close)
        if shared_bus is None:
            await bus.start()
        for inbox in inboxes:
            await bus.subscribe(inbox.subscription())
        await stack.enter_async_context(_relaying(relay, settings.shutdown_seconds))
        await stack.enter_async_context(_beside("upkeep", lambda: run_upkeep(database)))
        for inbox in inboxes:
            await stack.enter_async_context(_beside("retries", inbox.run_retries))
        for work in service.background:
            await stack.enter_async_context(_beside(work.__qualname__, partial(work, app)))
        log.info("service.started", service=service.name)
        yield
    log.info("service.stopped", service=service.name)


def _own_bus(service: Service, settings: ServiceSettings, database: Database) -> Bus:
    if settings.bus_url is None:
        return InProcessBus()
    return AmqpBus(
        settings.bus_url, name=service.name, shutdown_seconds=settings.shutdown_seconds, archive=Archive(database)
    )


@contextlib.asynccontextmanager
async def _relaying(relay: Relay, shutdown_seconds: float) -> AsyncIterator[None]:
    """Run the relay; at the end let it finish its batch, within reason."""
    task = asyncio.create_task(_supervised("relay", relay.run))
    try:
        yield
    finally:
        relay.stop()
        await asyncio.wait([task], timeout=shutdown_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _beside(name: str, work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(_supervised(name, work))
    try:
        yield
    finally:
        # Once may not be enough: `wait_for` of Python 3.11 loses a cancellation that comes together with its result.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_SECONDS)


async def _supervised(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Background work never ends for good by an error: it is logged and begun again."""
    while True:
        try:
            return await work()
        except Exception as error:
            if is_database_away(error):
                log.warning("background.database_away", work=name, error=repr(error))
            else:
                log.exception("background.failed", work=name)
            await asyncio.sleep(RESTART_SECONDS)


def serve(app: Any, settings: ServiceSettings) -> None:
    """Serve over HTTP until SIGTERM or SIGINT; requests at work are finished first."""
    configure_logs(level=settings.log_level, output="console" if settings.env == "development" else "json")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # only RequestContext decides whom a request comes from
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    prepare_to_serve()
    PoliteServer(config).run()
