"""The libraries' sides of `bench.libraries`: services that use a library in place of own code.

`python -m bench.baselines NAME` serves one of LIBRARIES, with the environment of the service that it replaces.
"""

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self, cast

import aiohttp
import asyncpg
import uvicorn
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from yarl import URL

from stockbuddy.catalog.app import SERVICE, CatalogSettings, lifespan
from stockbuddy.catalog.dependencies import CatalogServices
from stockbuddy.catalog.products import routes as products
from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.catalog.search.lookups import ProductLookups
from stockbuddy.catalog.search.pages import ProductPages
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import authenticate
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.server import serve
from stockbuddy.chassis.http.service_definition import Service, ServiceParts
from stockbuddy.chassis.postgres.connections import server_settings
from stockbuddy.chassis.runtime.database_url import connect_arguments
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.gateway.app import Gateway, create_gateway
from stockbuddy.gateway.compression import Compression
from stockbuddy.gateway.cors import AllowedOrigins
from stockbuddy.gateway.server import serve as serve_gateway
from stockbuddy.gateway.server import server_config
from stockbuddy.gateway.settings import GatewaySettings

# The gateway's libraries


class AiohttpUpstream:
    """A service through aiohttp's client."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def open(self) -> None:
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=55),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=1, sock_read=30),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        await self._client.close()

    @property
    def replicas(self) -> tuple[int, int]:
        return 1, 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        has_body = any(name in ("content-length", "transfer-encoding") for name, _ in headers)
        body = (await receive())["body"] if has_body else None
        url = URL(self._url + target.decode("latin-1"), encoded=True)
        async with self._client.request(
            scope["method"], url, headers=headers, data=body, allow_redirects=False
        ) as response:
            head = [(name.lower(), value) for name, value in response.raw_headers]
            await send({"type": "http.response.start", "status": response.status, "headers": head})
            await send({"type": "http.response.body", "body": await response.read()})


def serve_with_aiohttp() -> None:
    settings = GatewaySettings()
    upstreams = {service: AiohttpUpstream(urls[0]) for service, urls in settings.urls().items()}
    origins = AllowedOrigins(settings.cors_origins, is_development=True)
    serve_gateway(origins.wrap(Compression(Gateway(settings, upstreams, origins))), settings)


def serve_with_uvicorn() -> None:
    settings = GatewaySettings()
    config = server_config(create_gateway(settings), settings)
    config.http = "httptools"
    configure_logging(level=settings.log_level, output="json")
    prepare_to_serve()
    uvicorn.Server(config).run()


# The catalog's libraries


class AsyncpgPool:
    """asyncpg's own pool, without the statements that reset a connection."""

    def __init__(self, url: str, schema: str, *, size: int) -> None:
        settings = server_settings(schema) | {"enable_seqscan": "off"}
        self._pool = asyncpg.create_pool(
            **connect_arguments(url, timeout_seconds=5, server_settings=settings),
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=0,
            reset=_keep_session,
        )

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._pool.fetch(statement, *arguments)
        return rows

    async def __aenter__(self) -> Self:
        await self._pool
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()


async def _keep_session(_: asyncpg.Connection) -> None:
    """Reads set no session state."""


@asynccontextmanager
async def lifespan_with_asyncpg_pool(resources: Resources) -> AsyncIterator[ServiceParts]:
    async with lifespan(resources) as parts, AsyncpgPool(resources.settings.database_url, "catalog", size=8) as pool:
        services: CatalogServices = parts.services
        read_pool = cast(ReadPool, pool)
        pages, lookups = ProductPages(read_pool, None), ProductLookups(read_pool, None)
        yield replace(
            parts, services=replace(services, read_pool=read_pool, product_pages=pages, product_lookups=lookups)
        )


def serve_catalog(service: Service, *routes: Route) -> None:
    settings = CatalogSettings()
    app = create_app(service, settings)
    app.router.routes[:0] = routes
    serve(app, [settings])


def with_dependency_solver(routes: APIRouter) -> APIRouter:
    """The same routes, called through FastAPI's dependency solver."""
    router = APIRouter(route_class=ConditionalRoute)
    for route in routes.routes:
        assert isinstance(route, APIRoute)
        router.add_api_route(
            route.path,
            route.endpoint,
            methods=route.methods,
            status_code=route.status_code,
            response_model=route.response_model,
            dependencies=route.dependencies,
        )
    return router


def serve_with_fastapi() -> None:
    routers = [with_dependency_solver(router) if router is products.router else router for router in SERVICE.routers]
    serve_catalog(replace(SERVICE, routers=routers))


FILTER = TypeAdapter(ProductFilter)
ID = TypeAdapter(int)


async def list_products(request: Request) -> Response:
    caller = await authenticate(request)
    try:
        query = FILTER.validate_python(dict(request.query_params))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
    return await products.list_products(request, caller, query)


async def get_product(request: Request) -> Response:
    caller = await authenticate(request)
    return await products.get_product(request, caller, ID.validate_python(request.path_params["product_id"]))


def serve_with_starlette() -> None:
    """No OpenAPI document and no conditional requests."""
    path = "/api/v1/products"
    serve_catalog(SERVICE, Route(path, list_products), Route(path + "/{product_id:int}", get_product))


LIBRARIES: Mapping[str, Callable[[], None]] = {
    "aiohttp": serve_with_aiohttp,
    "uvicorn": serve_with_uvicorn,
    "asyncpg.Pool": lambda: serve_catalog(replace(SERVICE, lifespan=lifespan_with_asyncpg_pool)),
    "FastAPI": serve_with_fastapi,
    "Starlette": serve_with_starlette,
}

if __name__ == "__main__":
    LIBRARIES[sys.argv[1]]()
