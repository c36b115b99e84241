"""Composition root: builds the gateway from its parts, and runs its background workers."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from stockbuddy.chassis.http.internal_calls import InternalCallSigner
from stockbuddy.chassis.http.tokens import FetchJwks, JwksCache, TokenVerifier
from stockbuddy.chassis.runtime.access_log import AccessLog
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.traces import tracing_of
from stockbuddy.gateway.admission.authentication import Authenticator
from stockbuddy.gateway.admission.body_limit import BodyLimit
from stockbuddy.gateway.admission.csrf import BrowserSessions
from stockbuddy.gateway.admission.hosts import HostPolicy
from stockbuddy.gateway.admission.rate_counters import LocalCounter, RedisCounter
from stockbuddy.gateway.admission.rate_limits import Limits, RateLimits
from stockbuddy.gateway.admission.revocations import Revocations
from stockbuddy.gateway.admission.token_exchange import TokenExchange
from stockbuddy.gateway.auth_clock import auth_clock_worker
from stockbuddy.gateway.auth_reports.activity import ActivityReporter
from stockbuddy.gateway.auth_reports.denied_requests import DeniedRequestReporter
from stockbuddy.gateway.client_address import ClientOrigins
from stockbuddy.gateway.compression import Compression
from stockbuddy.gateway.console.site import ConsoleSite
from stockbuddy.gateway.cors import AllowedOrigins
from stockbuddy.gateway.endpoints import OwnEndpoints
from stockbuddy.gateway.health import HealthCheck
from stockbuddy.gateway.openapi.registry import OpenApiRegistry
from stockbuddy.gateway.pipeline import Admission, Pipeline, Report
from stockbuddy.gateway.proxy import header_upstream
from stockbuddy.gateway.proxy.client import AuthClient, call
from stockbuddy.gateway.proxy.direct_upstream import DirectUpstream
from stockbuddy.gateway.proxy.http_upstream import HttpUpstream
from stockbuddy.gateway.proxy.live_streams import LiveStreams
from stockbuddy.gateway.proxy.proxy import Proxy
from stockbuddy.gateway.proxy.upstream import Upstream
from stockbuddy.gateway.request_metrics import RequestMetrics, TracedRequestMetrics
from stockbuddy.gateway.routing.routes import JWKS_PATH
from stockbuddy.gateway.settings import GatewaySettings
from stockbuddy.gateway.system_status import GATEWAY, StatusReport
from stockbuddy.gateway.traced_pipeline import TracedPipeline

log = structlog.get_logger(__name__)

JWKS_TIMEOUT_SECONDS = 3.0


def create_gateway(settings: GatewaySettings, services: Mapping[str, ASGIApp] | None = None) -> ASGIApp:
    """The gateway as an ASGI app with a lifespan. `services`: apps in this process, by name, whose lifespans the caller
    runs; without them, services are reached at the URLs in the settings."""
    upstreams: Mapping[str, Upstream]
    if services is None:
        upstreams = _http_upstreams(settings)
        if settings.company is not None:
            upstreams = {name: header_upstream.for_company(one, settings.company) for name, one in upstreams.items()}
    else:
        upstreams = {name: DirectUpstream(app) for name, app in services.items()}
    origins = AllowedOrigins(settings.cors_origins, is_development=settings.env == "development")
    return origins.wrap(Compression(Gateway(settings, upstreams, origins)))


def _http_upstreams(settings: GatewaySettings) -> dict[str, Upstream]:
    return {
        service: HttpUpstream(
            service,
            urls,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            response_timeout_seconds=settings.response_timeout_seconds,
            idle_timeout_seconds=settings.stream_idle_timeout_seconds,
            max_connections=settings.max_upstream_connections,
        )
        for service, urls in settings.urls().items()
    }


class Gateway:
    """The pipeline with its parts and their lifespan."""

    def __init__(
        self, settings: GatewaySettings, upstreams: Mapping[str, Upstream], allowed_origins: AllowedOrigins
    ) -> None:
        self._tracing = tracing_of("gateway")
        called = upstreams["auth"] if self._tracing is None else header_upstream.traced(upstreams["auth"])
        auth = AuthClient(called, InternalCallSigner(settings.gateway_secret, "gateway"))
        streams = LiveStreams(max_per_caller=settings.max_streams_per_caller)
        self._upstreams = upstreams
        self._counter = (
            RedisCounter(settings.rate_limit_url, settings.company) if settings.rate_limit_url else LocalCounter()
        )
        self._revocations = Revocations(auth, token_ttl_seconds=settings.access_token_seconds)
        self._revocations.on_revoked(streams.end_session)
        self._openapi = OpenApiRegistry(upstreams)
        self._activity = ActivityReporter(auth, interval_seconds=settings.activity_report_interval_seconds)
        self._denied_requests = DeniedRequestReporter(auth)
        health = HealthCheck(upstreams, lambda: self._revocations.is_loaded)
        cdn_url = settings.cdn_url or ""
        console = ConsoleSite(settings.console_directory, cdn_url) if settings.console_directory else None
        request_metrics = RequestMetrics() if self._tracing is None else TracedRequestMetrics()
        parts = (
            ClientOrigins(settings.trusted_proxies, root_path=settings.root_path),
            OwnEndpoints(self._openapi, health, console, with_metrics=settings.env != "production"),
            self._admission(settings, auth, allowed_origins),
            Proxy({**upstreams, GATEWAY: StatusReport(upstreams, health)}, streams, cdn_url=cdn_url),
            Report(request_metrics, AccessLog("gateway", settings), self._activity, self._denied_requests),
            allowed_origins,
        )
        self._pipeline = Pipeline(*parts) if self._tracing is None else TracedPipeline(self._tracing, *parts)

    def _admission(self, settings: GatewaySettings, auth: AuthClient, allowed_origins: AllowedOrigins) -> Admission:
        jwks = JwksCache(_fetch_jwks_from(self._upstreams["auth"]))
        verifier = TokenVerifier(jwks, issuer=settings.token_issuer, audience=settings.token_audience)
        limits = RateLimits(
            self._counter,
            Limits(
                caller=settings.rate_limit_caller,
                address=settings.rate_limit_address,
                login=settings.rate_limit_login,
                login_address=settings.rate_limit_login_address,
                registration=settings.rate_limit_registration,
            ),
        )
        browsers = BrowserSessions(allowed_origins, is_production=settings.env == "production")
        return Admission(
            HostPolicy(settings.accepted_hosts, require_https=settings.rejects_plain_http),
            BodyLimit(seconds_per_mebibyte=settings.body_timeout_seconds),
            Authenticator(verifier, self._revocations, TokenExchange(auth), limits, browsers=browsers),
            limits,
            self._openapi,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        else:
            await self._pipeline(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
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
        """Shuts down in reverse: workers, final reports, connections."""
        async with contextlib.AsyncExitStack() as stack:
            if self._tracing is not None:
                stack.push_async_callback(self._tracing.close)
            stack.push_async_callback(self._counter.close)
            for upstream in self._upstreams.values():
                await upstream.open()
                stack.push_async_callback(upstream.close)
            stack.push_async_callback(self._activity.close)
            stack.push_async_callback(self._denied_requests.close)
            await stack.enter_async_context(auth_clock_worker(self._upstreams["auth"]))
            for part in (self._revocations, self._openapi, self._activity, self._denied_requests):
                await stack.enter_async_context(part.worker)
            log.info("gateway.started")
            yield
        log.info("gateway.stopped")


def _fetch_jwks_from(auth: Upstream) -> FetchJwks:
    async def fetch() -> Mapping[str, Any]:
        try:
            response = await call(auth, "GET", JWKS_PATH, timeout_seconds=JWKS_TIMEOUT_SECONDS)
            document: Mapping[str, Any] = response.json()
        except (DependencyUnavailable, ValueError) as error:
            raise ConnectionError("the signing keys are unavailable") from error
        if response.status != 200:
            raise ConnectionError(f"auth responded to {JWKS_PATH} with {response.status}")
        return document

    return fetch
