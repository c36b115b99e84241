"""The gateway's own endpoints: health, metrics, the OpenAPI document and its pages."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.runtime.metrics import metrics_page
from stockbuddy.gateway.errors import MethodNotAllowed, UnknownPath
from stockbuddy.gateway.headers import RequestHeaders
from stockbuddy.gateway.health import HealthCheck
from stockbuddy.gateway.openapi.docs_pages import ASSETS_PATH, find_asset, redoc_page, swagger_page
from stockbuddy.gateway.openapi.registry import OpenApiRegistry
from stockbuddy.gateway.proxy.response_writer import ResponseWriter

Endpoint = Callable[[Request], Awaitable[Response]]


class OwnEndpoints:
    def __init__(self, openapi: OpenApiRegistry, health: HealthCheck, *, with_metrics: bool) -> None:
        self._openapi = openapi
        self._health = health
        self._endpoints: dict[str, Endpoint] = {
            "/openapi.json": self._openapi_document,
            "/docs": _swagger,
            "/redoc": _redoc,
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
        return self._endpoints.get(path) or self._endpoints.get(path.removesuffix("/"))

    async def serve(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = RequestHeaders.read(scope).request_id
        writer = ResponseWriter(send, request_id, secure=scope["scheme"] == "https")
        try:
            if scope["method"] not in ("GET", "HEAD"):
                raise MethodNotAllowed("GET, HEAD")
            response = await endpoint(Request(scope))
            await response(scope, receive, writer)
        except Problem as problem:
            await writer.reject(problem, scope, receive)

    async def _openapi_document(self, request: Request) -> Response:
        document, etag = await self._openapi.document()
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(document, media_type="application/json", headers=headers)

    async def _ready(self, _: Request) -> Response:
        states = await self._health.states()
        is_ready = all(state == "ok" for state in states.values())
        body = {"status": "ok" if is_ready else "unavailable", "parts": states}
        return JSONResponse(body, 200 if is_ready else 503)


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _swagger(_: Request) -> Response:
    return swagger_page()


async def _redoc(_: Request) -> Response:
    return redoc_page()


async def _asset(request: Request) -> Response:
    asset = find_asset(request.url.path.removeprefix(ASSETS_PATH))
    if asset is None:
        raise UnknownPath
    return asset


async def _metrics(_: Request) -> Response:
    return await metrics_page()
