"""The gateway's ASGI app for requests to services: each step takes the `GatewayRequest` once, in this order:

route → hosts → body limit → authenticate → rate limit → proxy → report
"""

import asyncio
import time
from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.http.errors import BadRequest, Problem, Unauthenticated, Unavailable
from stockbuddy.chassis.http.request_context import FAILURE_DETAIL, INTERRUPTED_DETAIL
from stockbuddy.chassis.runtime.access_log import AccessLog
from stockbuddy.gateway import cors
from stockbuddy.gateway.admission.authentication import Authenticator
from stockbuddy.gateway.admission.body_limit import BodyLimit
from stockbuddy.gateway.admission.hosts import HostPolicy
from stockbuddy.gateway.admission.rate_limits import RateLimits
from stockbuddy.gateway.auth_reports.activity import ActivityReporter
from stockbuddy.gateway.auth_reports.denied_requests import DeniedRequestReporter
from stockbuddy.gateway.client_address import ClientOrigins
from stockbuddy.gateway.cors import AllowedOrigins
from stockbuddy.gateway.endpoints import Endpoint, OwnEndpoints, options_response
from stockbuddy.gateway.errors import (
    CsrfFailed,
    GatewayForbidden,
    HttpsRequired,
    PermissionRequired,
    UnknownHost,
    UnknownPath,
)
from stockbuddy.gateway.headers import RequestHeaders
from stockbuddy.gateway.openapi.registry import OpenApiRegistry
from stockbuddy.gateway.proxy.proxy import Proxy
from stockbuddy.gateway.proxy.response_writer import ResponseWriter
from stockbuddy.gateway.proxy.upstream import ClientDisconnected, ResponseInterrupted
from stockbuddy.gateway.proxy.websocket_writer import WebSocketWriter
from stockbuddy.gateway.request import WEBSOCKET, GatewayRequest
from stockbuddy.gateway.request_metrics import RequestMetrics
from stockbuddy.gateway.routing.canonical_path import canonical_path
from stockbuddy.gateway.routing.routes import locate

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """The steps before the proxy. `openapi`: rejected requests to paths that do not exist are 404."""

    hosts: HostPolicy
    body_limit: BodyLimit
    authenticator: Authenticator
    limits: RateLimits
    openapi: OpenApiRegistry

    async def admit(self, request: GatewayRequest) -> None:
        """Raises the Problem of the first step that rejects the request."""
        request.path, request.route = locate(request.method, request.path)
        await self._check_host(request)
        try:
            self.body_limit.apply(request)
            await self.authenticator.authenticate(request)
        except (Unauthenticated, CsrfFailed):
            await self.limits.count_anonymous(request.client_address)
            if not request.route.streaming and not self.openapi.may_exist(request.route.service, request.path):
                raise UnknownPath from None
            raise
        await self.limits.count(request)
        permission, caller = request.route.permission, request.caller
        if permission is not None and caller is not None and permission not in caller.principal.permissions:
            raise PermissionRequired(caller.principal)

    async def admit_to_endpoint(self, request: GatewayRequest, *, is_counted: bool = True) -> None:
        """For the gateway's own endpoints: the checks that need no route."""
        await self._check_host(request)
        if is_counted:
            await self.limits.count_separately(request, "own")

    async def admit_preflight(self, request: GatewayRequest) -> None:
        """A preflight has no credentials: it counts for its address."""
        await self._check_host(request)
        await self.limits.count_separately(request, "preflight")

    async def methods(self, request: GatewayRequest) -> list[str]:
        """The methods of the path, for OPTIONS."""
        if request.path == "*":
            await self.admit_to_endpoint(request)
            return [*cors.METHODS]
        request.path, request.route = locate("GET", request.path)
        await self.admit_to_endpoint(request)
        methods = self.openapi.methods(request.route.service, request.path)
        if not methods and not self.openapi.may_exist(request.route.service, request.path):
            raise UnknownPath
        with_head = ["HEAD"] if "GET" in methods else []
        return sorted({*methods, *with_head, "OPTIONS"}) if methods else [*cors.METHODS]

    async def _check_host(self, request: GatewayRequest) -> None:
        try:
            self.hosts.check(request)
        except (UnknownHost, HttpsRequired):
            # Rejected requests count as anonymous: this limits guessing, and 429 replaces the rejection.
            await self.limits.count_anonymous(request.client_address)
            raise


@dataclass(frozen=True, slots=True)
class Report:
    """The step after the response: metrics, access log, and the reports to auth, which never delay a response."""

    metrics: RequestMetrics
    access_log: AccessLog
    activity: ActivityReporter
    denied_requests: DeniedRequestReporter

    def admitted(self, request: GatewayRequest) -> None:
        if request.caller is not None:
            self.activity.record(request.caller.principal.session_id)
        if request.method == WEBSOCKET:
            self.metrics.record(request, 101, 0)  # a WebSocket may stay open for hours: counted at its start

    def rejected(self, request: GatewayRequest, problem: Problem) -> None:
        if isinstance(problem, GatewayForbidden):
            self.denied_requests.record(request, problem)

    def completed(self, request: GatewayRequest, status: int, seconds: float, *, is_own: bool) -> None:
        """`is_own`: by an endpoint of the gateway itself, which metrics leave out."""
        if not is_own and request.method != WEBSOCKET:
            self.metrics.record(request, status, seconds)
        route = request.path if is_own else request.route.path
        caller, request_id = request.caller, request.headers.request_id.decode()
        self.access_log.record(
            request.method, request.path, route, status, seconds, caller.name if caller else None, request_id
        )


class Pipeline:
    def __init__(
        self,
        origins: ClientOrigins,
        endpoints: OwnEndpoints,
        admission: Admission,
        proxy: Proxy,
        report: Report,
        allowed_origins: AllowedOrigins,
    ) -> None:
        self._origins = origins
        self._endpoints = endpoints
        self._admission = admission
        self._proxy = proxy
        self._report = report
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_at = time.perf_counter()
        writer: ResponseWriter | WebSocketWriter
        if scope["type"] == "websocket":
            request, endpoint = self._read(scope, receive, WEBSOCKET), None
            writer = WebSocketWriter(send, request.headers.request_id)
        else:
            request = self._read(scope, receive, scope["method"])
            writer = ResponseWriter(send, request.headers.request_id, request.origin)
            endpoint = self._endpoints.find(request)
        await self._serve(request, writer, endpoint)
        seconds = (writer.started_at or time.perf_counter()) - started_at
        self._report.completed(request, writer.status, seconds, is_own=endpoint is not None)

    def _read(self, scope: Scope, receive: Receive, method: str) -> GatewayRequest:
        headers = RequestHeaders.read(scope)
        origin = self._origins.resolve(scope, headers.parsed)
        path = canonical_path(scope["raw_path"].decode("latin-1"))
        if origin.path_prefix and (path + "/").startswith(origin.path_prefix + "/"):
            path = path.removeprefix(origin.path_prefix) or "/"  # the proxy has not removed it
        return GatewayRequest(scope, receive, headers, origin, method, path)

    async def _serve(
        self, request: GatewayRequest, writer: ResponseWriter | WebSocketWriter, endpoint: Endpoint | None = None
    ) -> None:
        try:
            if request.method == "OPTIONS" and (preflight := self._allowed_origins.preflight_response(request.scope)):
                await self._admission.admit_preflight(request)
                await preflight(request.scope, request.receive, writer)
            elif endpoint is not None:
                await self._admission.admit_to_endpoint(request, is_counted=endpoint.is_counted)
                writer.add_headers(request.response_headers)
                await self._endpoints.respond(endpoint, request, writer)
            elif request.method == "OPTIONS":
                response = options_response(await self._admission.methods(request))
                await response(request.scope, request.receive, writer)
            else:
                await self._forward(request, writer)
        except Problem as problem:
            self._report.rejected(request, problem)
            await writer.reject(problem, request.scope, request.receive)
        except ClientDisconnected:
            # The client may be gone, but a server that receives no response sends a text of its own.
            await writer.reject(BadRequest("The request body is incomplete."), request.scope, request.receive)
        except asyncio.CancelledError:
            # The server cancels requests that outlast the grace period of a shutdown, and sends a text of its own.
            await writer.reject(Unavailable(INTERRUPTED_DETAIL), request.scope, request.receive)
            raise
        except ResponseInterrupted as error:
            # The response has started, so no error can be sent; returning without the final chunk makes the server
            # close the connection.
            log.warning("response.interrupted", **request.log_fields, cause=repr(error.__cause__))
        except Exception as error:
            log.error("request.failed", **request.log_fields, exc_info=error)
            await writer.reject(Problem(FAILURE_DETAIL), request.scope, request.receive)

    async def _forward(self, request: GatewayRequest, writer: ResponseWriter | WebSocketWriter) -> None:
        await self._admission.admit(request)
        self._report.admitted(request)
        writer.add_headers(request.response_headers)
        if request.route.signed and request.caller is None and isinstance(writer, ResponseWriter):
            writer.allow_embedding()
        await self._proxy.forward(request, writer)
