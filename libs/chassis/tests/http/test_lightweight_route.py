"""A lightweight route answers as FastAPI's own route does with the same endpoint."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any

import httpx2 as httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.tokens import TestIssuer


class Move(BaseModel):
    model_config = ConfigDict(extra="forbid")
    product_id: int
    quantity: Decimal
    notes: str | None = None


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sort_by: str = "name"
    page: Annotated[int, Query(ge=1)] = 1


async def get_context(request: Request, caller: Caller) -> dict[str, Any]:
    return {"path": request.url.path.rpartition("/")[2], "caller": caller.user_id}


Context = Annotated[dict[str, Any], Depends(get_context)]


def shown(**values: Any) -> Response:
    return Response("\n".join(f"{name}: {value!r}" for name, value in values.items()))


async def move(context: Context, body: Move) -> Response:
    return shown(context=context, body=body)


async def undo(context: Context, item_id: Annotated[int, Path(ge=1)], body: Move | None = None) -> Response:
    return shown(context=context, item_id=item_id, body=body)


async def change(item_id: int, body: Move, if_match: IfMatch = None) -> Response:
    return shown(item_id=item_id, body=body, if_match=if_match)


async def get_unit(request: Request) -> AsyncIterator[list[str]]:
    """A unit of work, which tells the endpoint how the earlier ones ended."""
    prefix, item_id = request.url.path.split("/")[3::2]
    ended: list[str] = request.app.state.ended[prefix]
    unit = list(ended)
    try:
        yield unit
    except NotFound:
        ended.append(f"{item_id} rolled back")
        raise
    ended.append(f"{item_id} committed")


Unit = Annotated[list[str], Depends(get_unit, scope="function")]


async def get_beside(unit: Unit) -> int:
    return id(unit)


async def work(_: Caller, unit: Unit, beside: Annotated[int, Depends(get_beside)], item_id: int) -> Response:
    if item_id == 0:
        raise NotFound()
    return shown(unit=unit, is_shared=beside == id(unit))


async def name(item_name: str) -> Response:
    return shown(item_name=item_name)


async def fixed(_: Caller) -> Response:
    return shown(fixed=True)


async def report(
    _: Caller, filters: Annotated[Filters, Query()], shape: Annotated[str, Query(alias="format")] = "json", by: int = 1
) -> Response:
    return shown(filters=filters, shape=shape, by=by)


async def search(_: Caller, filters: Annotated[Filters, Query()]) -> Response:
    return shown(filters=filters)


def routes(prefix: str, route_class: type[ConditionalRoute]) -> APIRouter:
    router = APIRouter(prefix=f"/api/v1/{prefix}", route_class=route_class)
    router.post("/moves")(move)
    router.post("/moves/{item_id}/undo")(undo)
    router.put("/moves/{item_id}", dependencies=[requires(Permission.WAREHOUSE_WRITE)])(change)
    router.get("/moves")(search)
    permission = [requires(Permission.STOCK_READ)]
    router.get("/reports")(report)
    router.get("/units/{item_id:int}", dependencies=permission)(work)
    router.get("/names/fixed")(fixed)
    router.get("/names/{item_name:path}", dependencies=permission)(name)
    router.get("/names/never", dependencies=permission)(fixed)
    return router


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    issuer = TestIssuer()
    routers = [routes("plain", ConditionalRoute), routes("light", LightweightRoute)]
    settings = ServiceSettings(env="development", database_url=database_url)
    app = create_app(Service("probe", "Probe", routers), settings, fetch_jwks=issuer.fetch_jwks)
    app.state.ended = {"plain": [], "light": []}
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://probe/api/v1") as client,
    ):
        client.headers["Authorization"] = f"Bearer {issuer.token(7, Role.SALESPERSON)}"
        yield client


VALID = b'{"product_id": 1, "quantity": 2.125}'
JSON = {"Content-Type": "application/json"}
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/moves", {"content": VALID, "headers": JSON}),
    ("POST", "/moves", {"content": VALID, "headers": JSON | {"Content-Type": "application/vnd.api+json"}}),
    ("POST", "/moves", {"content": b'{"product_id": "x", "unknown": 1}', "headers": JSON}),
    ("POST", "/moves", {"content": b'{"product_id": 1, "quantity": NaN}', "headers": JSON}),
    ("POST", "/moves", {"content": b"{", "headers": JSON}),
    ("POST", "/moves", {"content": b"\xff", "headers": JSON}),
    ("POST", "/moves", {"content": b"[" * 100_000, "headers": JSON}),
    ("POST", "/moves", {"content": b"null", "headers": JSON}),
    ("POST", "/moves", {"content": b"[]", "headers": JSON}),
    ("POST", "/moves", {}),
    ("POST", "/moves?unknown=1", {"content": VALID, "headers": JSON}),
    ("POST", "/moves", {"content": VALID, "headers": JSON | {"Authorization": "Bearer x"}}),
    ("POST", "/moves/3/undo", {}),
    ("POST", "/moves/3/undo", {"content": b"null", "headers": JSON}),
    ("POST", "/moves/3/undo", {"content": VALID, "headers": JSON}),
    ("POST", "/moves/0/undo", {"content": b'{"product_id": 1}', "headers": JSON}),
    ("POST", "/moves/three/undo", {}),
    ("PUT", "/moves/3", {"content": VALID, "headers": JSON}),
    ("GET", "/moves?sort_by=price&page=2", {}),
    ("GET", "/moves?page=0", {}),
    ("GET", "/moves?page=1&unknown=2", {}),
    ("GET", "/reports?sort_by=price&format=csv&by=2", {}),
    ("GET", "/reports?sort_by=price&by=x", {}),
    ("GET", "/units/1", {}),
    ("GET", "/units/0", {}),
    ("GET", "/units/one", {}),
    ("DELETE", "/units/1", {}),
    ("GET", "/names/fixed", {}),
    ("GET", "/names/never", {}),
    ("GET", "/names/a/b%2Fc", {}),
    ("GET", "/names/", {}),
    ("GET", "/other", {}),
]


@pytest.mark.parametrize("number", range(len(REQUESTS)))
async def test_answer_is_that_of_an_ordinary_route(client: httpx.AsyncClient, number: int) -> None:
    method, path, options = REQUESTS[number]
    plain, light = [await client.request(method, f"/{prefix}{path}", **options) for prefix in ("plain", "light")]
    assert light.status_code == plain.status_code
    if light.status_code == 200:
        assert (light.text, light.headers.get("etag")) == (plain.text, plain.headers.get("etag"))
    else:
        changing = {"request_id": None, "instance": None}
        assert light.json() | changing == plain.json() | changing


async def test_generator_ends_before_the_response(client: httpx.AsyncClient) -> None:
    for prefix in ("plain", "light"):
        await client.get(f"/{prefix}/units/1")
        await client.get(f"/{prefix}/units/0")
        seen = (await client.get(f"/{prefix}/units/2")).text
        assert seen == "unit: ['1 committed', '0 rolled back']\nis_shared: True"


def test_every_supported_signature_is_bound_without_the_solver() -> None:
    router = routes("light", LightweightRoute)
    solved = [one.path for one in router.routes if isinstance(one, LightweightRoute) and not one.is_solverless]
    assert solved == ["/api/v1/light/reports"]
