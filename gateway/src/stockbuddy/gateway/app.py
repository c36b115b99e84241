"""Puts the gateway together: the composition root."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.tokens import FetchJwks, JwksCache, TokenVerifier
from stockbuddy.gateway.admission.client_address import ClientAddresses
from stockbuddy.gateway.admission.credentials import Credentials
from stockbuddy.gateway.admission.exchange import Exchange
from stockbuddy.gateway.admission.rate_limits import RateLimits
from stockbuddy.gateway.admission.revocations import Revocations
from stockbuddy.gateway.admission.site import Site
from stockbuddy.gateway.admission.windows import MemoryWindows, SharedWindows
from stockbuddy.gateway.compression import Compression
from stockbuddy.gateway.cors import with_cors
from stockbuddy.gateway.documents.catalogue import Catalogue
from stockbuddy.gateway.edge import Edge
from stockbuddy.gateway.health import Health
from stockbuddy.gateway.live_streams import LiveStreams
from stockbuddy.gateway.pages import Pages
from stockbuddy.gateway.reports.denials import Denials
from stockbuddy.gateway.reports.uses import Uses
from stockbuddy.gateway.routes import KEY_SET_PATH
from stockbuddy.gateway.settings import GatewaySettings
from stockbuddy.gateway.upstream.direct import DirectUpstream
from stockbuddy.gateway.upstream.http import HttpUpstream
from stockbuddy.gateway.upstream.port import Upstream, ask
from stockbuddy.gateway.usage import Usage

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 3.0
RESTART_SECONDS = 1.0


def create_gateway(settings: GatewaySettings, services: Mapping[str, ASGIApp] | None = None) -> ASGIApp:
    """The gateway as an ASGI app with a lifespan. `services`, by name, when they run in this process (whoever gives
    them runs their lifespans); else they are where the settings say."""
    if services is None:
        upstreams = _across_the_network(settings)
    else:
        upstreams = {name: DirectUpstream(app) for name, app in services.items()}
    return with_cors(Compression(Gateway(settings, upstreams)), settings.cors_origins)


def _across_the_network(settings: GatewaySettings) -> dict[str, Upstream]:
    return {
        service: HttpUpstream(
            service,
            urls,
            connect_seconds=settings.connect_seconds,
            response_seconds=settings.response_seconds,
            idle_stream_seconds=settings.idle_stream_seconds,
            most_connections=settings.upstream_connections,
        )
        for service, urls in settings.urls().items()
    }


class Gateway:
    def __init__(self, settings: GatewaySettings, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        verifier = TokenVerifier(
            JwksCache(_keys_from(upstreams["auth"])), issuer=settings.token_issuer, audience=settings.token_audience
        )
        streams = LiveStreams()
        url = settings.rate_limit_url
        self._windows = SharedWindows(url) if url else MemoryWindows()
        limits = RateLimits(
            self._windows,
            caller=settings.rate_limit_caller,
            address=settings.rate_limit_address,
            login=settings.rate_limit_login,
        )
        self._revocations = Revocations(upstreams["auth"], remember_seconds=settings.access_token_seconds)
        self._revocations.when_ended(streams.end)
        self._catalogue = Catalogue(upstreams)
        health = Health(upstreams, lambda: self._revocations.known)
        self._pages = Pages(self._catalogue, health, with_metrics=settings.env != "production")
        self._uses = Uses(upstreams["auth"], every_seconds=settings.use_report_seconds)
        self._denials = Denials(upstreams["auth"])
        self._edge = Edge(
            upstreams,
            credentials=Credentials(
                verifier,
                self._revocations,
                Exchange(upstreams["auth"]),
                limits,
                allowed_origins=settings.cors_origins,
            ),
            limits=limits,
            site=Site(settings.allowed_hosts, require_https=settings.require_https),
            addresses=ClientAddresses(settings.trusted_proxies),
            catalogue=self._catalogue,
            streams=streams,
            usage=Usage(),
            uses=self._uses,
            denials=self._denials,
            body_seconds=settings.body_seconds,
            log_answers=settings.log_level == "debug",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and (page := self._pages.page(scope["path"])):
            await self._pages.serve(page, scope, receive, send)
        else:
            await self._edge(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._windows.close)
            for upstream in self._upstreams.values():
                await upstream.open()
                stack.push_async_callback(upstream.close)
            stack.push_async_callback(self._uses.finish)
            stack.push_async_callback(self._denials.finish)
            background = (self._revocations.run, self._catalogue.run, self._uses.run, self._denials.run)
            stack.push_async_callback(_cancel, [asyncio.create_task(_keep_at(work)) for work in background])
            log.info("gateway.started")
            yield
        log.info("gateway.stopped")


async def _keep_at(work: Callable[[], Awaitable[None]]) -> None:
    """None of this may end for good by an error: without it ended sessions would pass."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background.failed", work=work.__qualname__)
            await asyncio.sleep(RESTART_SECONDS)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _keys_from(auth: Upstream) -> FetchJwks:
    async def fetch() -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = await ask(auth, "GET", KEY_SET_PATH)
            document: Mapping[str, Any] = reply.document
        except (Problem, ValueError) as error:
            raise ConnectionError("the signing keys can't be had") from error
        if reply.status != 200:
            raise ConnectionError(f"auth answered {reply.status} when asked for its signing keys")
        return document

    return fetch
