"""The form of request bodies: media type, charset, content coding."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import APIRouter
from pydantic import BaseModel

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.runtime.settings import ServiceSettings

router = APIRouter(prefix="/api/v1/names", route_class=ConditionalRoute, dependencies=[PUBLIC])


class NameCreate(BaseModel):
    name: str


@router.post("")
async def create_name(body: NameCreate) -> str:
    return body.name


@router.post("/action")
async def act() -> str:
    return "done"


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Service("probe", "Probe", [router]), ServiceSettings(env="development", database_url=database_url))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(transport=transport, base_url="http://probe") as client,
    ):
        yield client


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({}, "application/json"),
        ({"Content-Type": "application/json; charset=iso-8859-1"}, "UTF-8"),
        ({"Content-Type": 'application/json; charset="utf-16"'}, "UTF-8"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "without Content-Encoding"),
        ({"Content-Type": "text/plain"}, "application/json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "application/json"),
    ],
)
async def test_body_in_an_unreadable_form_is_rejected_naming_the_accepted_one(
    client: httpx.AsyncClient, headers: dict[str, str], accepted: str
) -> None:
    refused = await client.post("/api/v1/names", content=b'{"name": "a"}', headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")
    assert accepted in refused.json()["detail"]


async def test_rejected_content_coding_names_the_accepted_one(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "br"}
    refused = await client.post("/api/v1/names", content=b"x", headers=headers)
    assert refused.headers["Accept-Encoding"] == "identity"


async def test_chunked_body_without_a_media_type_is_rejected_unless_it_is_empty(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/names/action", content=chunks(b"{}"))).status_code == 415
    assert (await client.post("/api/v1/names/action", content=chunks())).status_code == 200
    assert (await client.post("/api/v1/names/action")).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON; Charset=UTF-8",
        "application/cloudevents+json",
    ],
)
async def test_json_in_utf_8_is_accepted(client: httpx.AsyncClient, content_type: str) -> None:
    accepted = await client.post(
        "/api/v1/names", content='{"name": "ü"}'.encode(), headers={"Content-Type": content_type}
    )
    assert (accepted.status_code, accepted.json()) == (200, "ü")
