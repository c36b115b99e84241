"""The gateway's own endpoints: the console, the page at `/`, health, metrics, the OpenAPI document and its pages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Send

from stockbuddy.chassis.http.entity_tags import matches
from stockbuddy.chassis.runtime.metrics import metrics_page
from stockbuddy.gateway.console.site import FILES_PATH, SERVICE_WORKER_PATH, ConsoleSite, accepts_html
from stockbuddy.gateway.errors import MethodNotAllowed, UnknownPath
from stockbuddy.gateway.guide.pages import GUIDE_PATH, find_page
from stockbuddy.gateway.health import HealthCheck
from stockbuddy.gateway.home_page import home_page
from stockbuddy.gateway.openapi.docs_pages import ASSETS_PATH, find_asset, redoc_page, swagger_page
from stockbuddy.gateway.openapi.registry import OpenApiRegistry
from stockbuddy.gateway.request import GatewayRequest

Respond = Callable[[GatewayRequest], Awaitable[Response]]
METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`is_counted`: by the rate limit of the address. The console is not: one page consists of dozens of files."""

    respond: Respond
    is_counted: bool = True


class OwnEndpoints:
    """`console`: None if this gateway serves none."""

    def __init__(
        self, openapi: OpenApiRegistry, health: HealthCheck, console: ConsoleSite | None, *, with_metrics: bool
    ) -> None:
        self._openapi = openapi
        self._health = health
        self._console = console
        self._endpoints: dict[str, Respond] = {
            "/": self._home,
            "/openapi.json": self._openapi_document,
            "/docs": _swagger,
            "/redoc": _redoc,
            "/guide": _guide,
            "/health/live": _live,
            "/health/ready": self._ready,
        }
        if with_metrics:
            self._endpoints["/metrics"] = _metrics
        self._folders: dict[str, Respond] = {ASSETS_PATH: _asset, GUIDE_PATH: _guide}

    def find(self, request: GatewayRequest) -> Endpoint | None:
        path = request.path
        if path.startswith("/api/"):
            return None
        if self._console is not None and path.startswith(FILES_PATH):
            return Endpoint(self._console_file, is_counted=False)
        if self._console is not None and path == SERVICE_WORKER_PATH:
            return Endpoint(self._service_worker, is_counted=False)
        of_folder = next((respond for folder, respond in self._folders.items() if path.startswith(folder)), None)
        respond = of_folder or self._endpoints.get(path) or self._endpoints.get(path.removesuffix("/"))
        if respond is not None:
            return Endpoint(respond, is_counted=respond != self._home)
        if self._console is not None and self._console.is_page(request):
            return Endpoint(self._console_page, is_counted=False)
        return None

    async def respond(self, endpoint: Endpoint, request: GatewayRequest, send: Send) -> None:
        """Raises a Problem before anything is sent."""
        if request.method == "OPTIONS":
            response = options_response(METHODS)
        elif request.method in ("GET", "HEAD"):
            response = await endpoint.respond(request)
        else:
            raise MethodNotAllowed(", ".join(METHODS))
        await response(request.scope, request.receive, send)

    async def _openapi_document(self, request: GatewayRequest) -> Response:
        document, etag = await self._openapi.document(request.origin.path_prefix)
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if matches(request.headers.parsed.get(b"if-none-match", b"").decode("latin-1"), etag):
            return Response(status_code=304, headers=headers)
        return Response(document, media_type="application/json", headers=headers)

    async def _home(self, request: GatewayRequest) -> Response:
        console = self._console
        if console is not None and accepts_html(request) and (page := console.find_page(request)) is not None:
            return page
        accept = Headers(scope=request.scope).get("accept", "")
        progress = console.find_progress() if console is not None else None
        return home_page(accept, request.origin.path_prefix, (await self._health.check()).status, progress)

    async def _console_page(self, request: GatewayRequest) -> Response:
        assert self._console is not None
        page = self._console.find_page(request)
        if page is None:
            raise UnknownPath
        return page

    async def _console_file(self, request: GatewayRequest) -> Response:
        assert self._console is not None
        return self._console.get_file(request)

    async def _service_worker(self, request: GatewayRequest) -> Response:
        assert self._console is not None
        return self._console.get_service_worker(request)

    async def _ready(self, _: GatewayRequest) -> Response:
        health = await self._health.check()
        return JSONResponse(health.model_dump(), 503 if health.status == "unavailable" else 200)


def options_response(methods: Sequence[str]) -> Response:
    """The response to OPTIONS that is no preflight (RFC 9110 §9.3.7)."""
    return Response(status_code=204, headers={"Allow": ", ".join(methods)})


async def _live(_: GatewayRequest) -> Response:
    return JSONResponse({"status": "ok"})


async def _swagger(request: GatewayRequest) -> Response:
    return swagger_page(request.origin.path_prefix)


async def _redoc(request: GatewayRequest) -> Response:
    return redoc_page(request.origin.path_prefix)


async def _asset(request: GatewayRequest) -> Response:
    asset = find_asset(request.path.removeprefix(ASSETS_PATH))
    if asset is None:
        raise UnknownPath
    return asset


async def _guide(request: GatewayRequest) -> Response:
    name = request.path.removeprefix(GUIDE_PATH.removesuffix("/")).strip("/")
    page = await asyncio.to_thread(find_page, name, request.origin.path_prefix)
    if page is None:
        raise UnknownPath
    return page


async def _metrics(request: GatewayRequest) -> Response:
    return await metrics_page(Request(request.scope))
