"""The gateway's own paths, which belong to no service: health, metrics, the API document and its pages."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.runtime.metrics import metrics_page
from stockbuddy.gateway.admission.incoming import Incoming
from stockbuddy.gateway.answer import Answer
from stockbuddy.gateway.documents.catalogue import Catalogue
from stockbuddy.gateway.documents.pages import ASSETS_PATH, asset, redoc_page, swagger_page
from stockbuddy.gateway.errors import MethodNotAllowed, UnknownPath
from stockbuddy.gateway.health import Health

Page = Callable[[Request], Awaitable[Response]]


class Pages:
    def __init__(self, catalogue: Catalogue, health: Health, *, with_metrics: bool) -> None:
        self._catalogue = catalogue
        self._health = health
        self._pages: dict[str, Page] = {
            "/openapi.json": self._openapi,
            "/docs": _swagger,
            "/redoc": _redoc,
            "/health/live": _live,
            "/health/ready": self._ready,
        }
        if with_metrics:
            self._pages["/metrics"] = _metrics

    def page(self, path: str) -> Page | None:
        """The page at this path, if it is one of the gateway's own."""
        if path.startswith("/api/"):
            return None
        if path.startswith(ASSETS_PATH):
            return _asset
        return self._pages.get(path) or self._pages.get(path.removesuffix("/"))

    async def serve(self, page: Page, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer(send, Incoming.read(scope).request_id, secure=scope["scheme"] == "https")
        try:
            if scope["method"] not in ("GET", "HEAD"):
                raise MethodNotAllowed("GET, HEAD")
            response = await page(Request(scope))
            await response(scope, receive, answer)
        except Problem as problem:
            await answer.refuse(problem, scope, receive)

    async def _openapi(self, request: Request) -> Response:
        document, etag = await self._catalogue.document()
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(document, media_type="application/json", headers=headers)

    async def _ready(self, _: Request) -> Response:
        parts = await self._health.parts()
        well = all(state == "ok" for state in parts.values())
        return JSONResponse({"status": "ok" if well else "unavailable", "parts": parts}, 200 if well else 503)


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _swagger(_: Request) -> Response:
    return swagger_page()


async def _redoc(_: Request) -> Response:
    return redoc_page()


async def _asset(request: Request) -> Response:
    found = asset(request.url.path.removeprefix(ASSETS_PATH))
    if found is None:
        raise UnknownPath
    return found


async def _metrics(_: Request) -> Response:
    return await metrics_page()
