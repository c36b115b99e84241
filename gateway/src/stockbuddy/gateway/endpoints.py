"""The gateway's own endpoints: the page at `/`, health, metrics, the OpenAPI document and its pages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Send

from stockbuddy.chassis.http.entity_tags import matches
from stockbuddy.chassis.runtime.metrics import metrics_page
from stockbuddy.gateway.errors import MethodNotAllowed, UnknownPath
from stockbuddy.gateway.guide.pages import GUIDE_PATH, find_page
from stockbuddy.gateway.health import HealthCheck
from stockbuddy.gateway.home_page import home_page
from stockbuddy.gateway.openapi.docs_pages import ASSETS_PATH, find_asset, redoc_page, swagger_page
from stockbuddy.gateway.openapi.registry import OpenApiRegistry
from stockbuddy.gateway.request import GatewayRequest

Endpoint = Callable[[GatewayRequest], Awaitable[Response]]
METHODS = ("GET", "HEAD", "OPTIONS")


class OwnEndpoints:
    def __init__(self, openapi: OpenApiRegistry, health: HealthCheck, *, with_metrics: bool) -> None:
        self._openapi = openapi
        self._health = health
        self._endpoints: dict[str, Endpoint] = {
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

    def find(self, path: str) -> Endpoint | None:
        if path.startswith("/api/"):
            return None
        if path.startswith(ASSETS_PATH):
            return _asset
        if path.startswith(GUIDE_PATH):
            return _guide
        return self._endpoints.get(path) or self._endpoints.get(path.removesuffix("/"))

    async def respond(self, endpoint: Endpoint, request: GatewayRequest, send: Send) -> None:
        """Raises a Problem before anything is sent."""
        if request.method == "OPTIONS":
            response = options_response(METHODS)
        elif request.method in ("GET", "HEAD"):
            response = await endpoint(request)
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
        accept = Headers(scope=request.scope).get("accept", "")
        return home_page(accept, request.origin.path_prefix, (await self._health.check()).status)

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


async def _metrics(_: GatewayRequest) -> Response:
    return await metrics_page()
