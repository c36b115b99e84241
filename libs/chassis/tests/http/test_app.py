"""The chassis' guarantees to every service: idempotency, problems, tokens, request ids, caching."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import jwt
import pytest
from asgi_lifespan import LifespanManager
from cryptography.hazmat.primitives import serialization
from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import PUBLIC, Caller, requires
from stockbuddy.chassis.http.errors import Conflict
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import CLOCK_LEEWAY_SECONDS
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import access_log
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.probe import effects
from stockbuddy.chassis.testing.tokens import TestIssuer

router = APIRouter(prefix="/api/v1/effects", route_class=ConditionalRoute)


class NewEffect(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    refuse: bool = False


@router.post("", status_code=201)
async def add_effect(body: NewEffect, caller: Caller, session: Session, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = '"7"'
    added = await session.scalar(
        text("INSERT INTO effect (subject, number) VALUES (:who, :number) RETURNING id"),
        {"who": caller.username, "number": body.number},
    )
    if body.refuse:
        raise Conflict("refused", because="asked")
    return {"id": added, "number": body.number}


@router.get("")
async def list_effects(caller: Caller, session: ReadSession) -> list[int]:
    return list(await session.scalars(text("SELECT number FROM effect ORDER BY id")))


@router.post("/managed", dependencies=[requires(Permission.WAREHOUSE_WRITE)])
async def add_managed_effect(session: Session, caller: Caller) -> str:
    """The session, and with it the stored response, is requested before the permission is checked."""
    return caller.username


@router.get("/admin", dependencies=[requires(Permission.USER_MANAGE)])
async def admins_only(caller: Caller) -> str:
    return caller.username


@router.get("/manager", dependencies=[requires(Permission.WAREHOUSE_WRITE)])
async def managers_only(caller: Caller) -> str:
    return caller.username


@router.get("/broken", dependencies=[PUBLIC])
async def broken() -> None:
    raise RuntimeError("SELECT secret FROM table at 10.0.0.1")


@router.get("/{number}")
async def get_effect(number: int, caller: Caller, session: ReadSession) -> int:
    return int(await session.scalar(text("SELECT id FROM effect WHERE id = :id"), {"id": number}) or 0)


@router.delete("/{number}")
async def delete_effect(number: int, caller: Caller, session: Session) -> None:
    await session.execute(text("DELETE FROM effect WHERE number = :number"), {"number": number})


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
async def app(database_url: str, issuer: TestIssuer) -> AsyncIterator[FastAPI]:
    settings = ServiceSettings(env="development", database_url=database_url)
    app = create_app(Service("probe", "Probe", [router]), settings, fetch_jwks=issuer.fetch_jwks)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
        yield client


EVENTS = text("SELECT headers, payload FROM outbox_event")
"""Published or not: the relay moves events at any moment."""


def as_user(issuer: TestIssuer, key: str | None = None, **details: Any) -> dict[str, str]:
    return {**issuer.headers(**details), **({"Idempotency-Key": key} if key else {})}


async def test_fifty_concurrent_equal_requests_take_effect_once_with_equal_responses(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database
) -> None:
    headers = as_user(issuer, "k-1")
    calls = [client.post("/api/v1/effects", json={"number": 5}, headers=headers) for _ in range(50)]
    answers = await asyncio.gather(*calls)
    assert {(a.status_code, a.text) for a in answers} == {(201, answers[0].text)}
    assert sum(a.headers.get("Idempotent-Replayed") == "true" for a in answers) == 49
    assert await effects(database) == [("user1", 5)]


async def test_equal_json_is_the_same_body_whatever_its_formatting(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database
) -> None:
    headers = as_user(issuer, "k-1") | {"Content-Type": "application/json"}
    await client.post("/api/v1/effects", content=b'{"number": 5, "refuse": false}', headers=headers)
    again = await client.post("/api/v1/effects", content=b'{ "refuse":false,\n"number":5}', headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await effects(database)) == 1


async def test_same_key_with_another_body_is_rejected(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    headers = as_user(issuer, "k-1")
    await client.post("/api/v1/effects", json={"number": 5}, headers=headers)
    other = await client.post("/api/v1/effects", json={"number": 6}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_idempotency_keys_are_scoped_to_the_caller(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database
) -> None:
    for user_id in (1, 2):
        await client.post("/api/v1/effects", json={"number": 5}, headers=as_user(issuer, "k-1", user_id=user_id))
    assert await effects(database) == [("user1", 5), ("user2", 5)]


async def test_rejected_request_stores_no_response_and_has_no_effect(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database
) -> None:
    headers = as_user(issuer, "k-1")
    refused = await client.post("/api/v1/effects", json={"number": 5, "refuse": True}, headers=headers)
    assert (refused.status_code, refused.json()["because"]) == (409, "asked")
    assert await effects(database) == []
    accepted = await client.post("/api/v1/effects", json={"number": 5}, headers=headers)
    assert accepted.status_code == 201


async def test_unknown_field_is_rejected_and_named(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    answer = await client.post("/api/v1/effects", json={"number": 5, "nubmer": 6}, headers=as_user(issuer))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["nubmer"]


async def test_body_that_is_not_json_is_a_bad_request(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    headers = as_user(issuer) | {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/effects", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_internal_error_reveals_only_the_request_id(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/effects/broken", headers={"X-Request-ID": "r-42"})
    assert answer.status_code == 500
    assert answer.json()["request_id"] == "r-42"
    assert "secret" not in answer.text
    assert "10.0.0.1" not in answer.text


class BrokenMiddleware:
    """Fails outside the request context."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise RuntimeError("no route to 10.0.0.1")
        await self._app(scope, receive, send)


async def test_failure_outside_the_request_context_is_a_problem(issuer: TestIssuer) -> None:
    settings = ServiceSettings(env="development", database_url="postgresql://nobody@127.0.0.1:1/none")
    app = create_app(Service("probe", "Probe", [router]), settings, fetch_jwks=issuer.fetch_jwks)
    app.add_middleware(BrokenMiddleware)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
        answer = await client.get("/health/live")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "10.0.0.1" not in answer.text


async def test_request_id_is_kept_if_valid_else_generated(client: httpx.AsyncClient) -> None:
    kept = await client.get("/health/live", headers={"X-Request-ID": "r-42"})
    made = await client.get("/health/live", headers={"X-Request-ID": "not one\tof ours"})
    assert kept.headers["X-Request-ID"] == "r-42"
    assert len(made.headers["X-Request-ID"]) == 36


async def test_each_role_has_the_permissions_of_the_one_before_it(
    client: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    async def statuses(role: Role) -> tuple[int, int]:
        headers = as_user(issuer, role=role)
        paths = ("/api/v1/effects/manager", "/api/v1/effects/admin")
        manager, admin = [(await client.get(path, headers=headers)).status_code for path in paths]
        return manager, admin

    assert await statuses(Role.SALESPERSON) == (403, 403)
    assert await statuses(Role.MANAGER) == (200, 403)
    assert await statuses(Role.ADMIN) == (200, 200)


def test_route_without_declared_permission_prevents_the_start() -> None:
    open_router = APIRouter()
    open_router.add_api_route("/open", broken)
    with pytest.raises(TypeError, match="/open"):
        create_app(Service("probe", "Probe", [open_router]), ServiceSettings(env="development"))


def test_websocket_without_declared_permission_prevents_the_start() -> None:
    open_router = APIRouter()
    open_router.add_api_websocket_route("/open", broken)
    with pytest.raises(TypeError, match="/open"):
        create_app(Service("probe", "Probe", [open_router]), ServiceSettings(env="development"))


async def test_current_etag_gets_not_modified(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    headers = as_user(issuer)
    first = await client.get("/api/v1/effects", headers=headers)
    again = await client.get("/api/v1/effects", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    await client.post("/api/v1/effects", json={"number": 5}, headers=headers)
    changed = await client.get("/api/v1/effects", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json()) == (200, [5])


def unsigned(token: str) -> str:
    claims = token.split(".")[1]
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt"}).encode()).rstrip(b"=").decode()
    return f"{header}.{claims}."


async def signed_with_the_public_key(issuer: TestIssuer) -> str:
    """HS256 with the published key as its secret, as careless verifiers accept it."""
    [key] = (await issuer.fetch_jwks())["keys"]
    public = jwt.PyJWK(key).key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, public, algorithm="HS256", headers={"kid": key["kid"], "typ": "at+jwt"})


def without(issuer: TestIssuer, claim: str) -> str:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    del claims[claim]
    return issuer.sign(claims)


async def test_forged_and_expired_tokens_are_rejected(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    good = issuer.token()
    header, claims, signature = good.split(".")
    tampered = claims[:-4] + ("AAAA" if claims[-4:] != "AAAA" else "BBBB")
    forged = {
        "unsigned": unsigned(good),
        "public key as secret": await signed_with_the_public_key(issuer),
        "another key": TestIssuer().token(),
        "wrong issuer": issuer.token(iss="elsewhere"),
        "wrong audience": issuer.token(aud="elsewhere"),
        "expired": issuer.token(exp=int(time.time()) - CLOCK_LEEWAY_SECONDS - 1),
        "issued in the future": issuer.token(iat=int(time.time()) + CLOCK_LEEWAY_SECONDS + 5),
        "not yet": issuer.token(nbf=int(time.time()) + 600),
        "wrong type": issuer.sign(jwt.decode(good, options={"verify_signature": False}), token_type="JWT"),
        "unknown role": issuer.token(role="root"),
        "subject is no number": issuer.token(sub="admin"),
        "tampered claims": f"{header}.{tampered}.{signature}",
        "no signature": f"{header}.{claims}.",
        "garbage": "garbage",
        "empty": "",
        **{
            f"without {claim}": without(issuer, claim)
            for claim in ("exp", "iat", "iss", "aud", "sub", "sid", "jti", "role")
        },
    }
    for name, token in forged.items():
        answer = await client.get("/api/v1/effects", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"] == "Bearer", name
    assert (await client.get("/api/v1/effects", headers={"Authorization": f"Bearer {good}"})).status_code == 200


async def test_cached_token_is_rejected_after_it_expires(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    for headers in issuer.expiring_headers():
        if (await client.get("/api/v1/effects", headers=headers)).status_code == 200:
            break
    async with asyncio.timeout(60):
        while (await client.get("/api/v1/effects", headers=headers)).status_code == 200:
            await asyncio.sleep(0.1)
    assert (await client.get("/api/v1/effects", headers=headers)).status_code == 401


async def test_invalid_json_is_rejected_with_its_position(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    headers = as_user(issuer, "k-1") | {"Content-Type": "application/json"}
    refused = await client.post("/api/v1/effects", content=b'{"number": }', headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    where = {"field": "body", "message": "Expecting value, at character 11"}
    assert refused.json()["errors"] == [where | {"code": "json_invalid", "values": {"position": "11"}}]


async def test_readiness_names_the_unavailable_part(database_url: str, issuer: TestIssuer) -> None:
    settings = ServiceSettings(env="development", database_url="postgresql://nobody@127.0.0.1:1/none")
    app = create_app(Service("probe", "Probe", [router]), settings, fetch_jwks=issuer.fetch_jwks)
    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://p") as client,
    ):
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["parts"]) == (503, {"database": "unavailable", "bus": "ok"})


async def test_openapi_document_contains_the_permissions(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert paths["/api/v1/effects"]["get"]["x-permission"] == "user"
    assert paths["/api/v1/effects/admin"]["get"]["x-permission"] == "user.manage"
    assert paths["/api/v1/effects/broken"]["get"]["x-permission"] == "public"


async def test_unsupported_method_is_rejected_with_the_allowed_ones(client: httpx.AsyncClient) -> None:
    refused = await client.patch("/api/v1/effects")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert refused.headers["Allow"] == "GET, POST"
    named = await client.patch("/api/v1/effects/admin")
    assert (named.status_code, named.headers["Allow"]) == (405, "GET")
    numbered = await client.patch("/api/v1/effects/7")
    assert (numbered.status_code, numbered.headers["Allow"]) == (405, "DELETE, GET")


async def test_denied_request_publishes_an_event(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database
) -> None:
    await client.get("/api/v1/effects/admin", headers=as_user(issuer, user_id=7, role=Role.MANAGER))
    async with database.reading() as session:
        event = (await session.execute(EVENTS)).one()
    assert event.headers["actorid"] == "7"
    assert event.payload == {
        "service": "probe",
        "method": "GET",
        "path": "/api/v1/effects/admin",
        "code": "forbidden",
        "user_id": 7,
        "repetitions": 0,
    }


async def test_request_without_database_gets_a_retryable_error(issuer: TestIssuer, tmp_path: Path) -> None:
    url = f"postgresql://postgres@/postgres?host={tmp_path}"
    app = create_app(
        Service("probe", "Probe", [router]), ServiceSettings(database_url=url), fetch_jwks=issuer.fetch_jwks
    )
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
            refused = await client.get("/api/v1/effects", headers=as_user(issuer))
    assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
    assert int(refused.headers["Retry-After"]) > 0


async def test_replayed_response_repeats_etag_and_location(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    headers = as_user(issuer, "k-1")
    first = await client.post("/api/v1/effects", json={"number": 5}, headers=headers)
    again = await client.post("/api/v1/effects", json={"number": 5}, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["ETag"] == again.headers["ETag"] == '"7"'
    assert first.headers["Location"] == again.headers["Location"] == f"/api/v1/effects/{first.json()['id']}"
    assert (await client.get(first.headers["Location"], headers=headers)).json() == first.json()["id"]


async def test_idempotency_keys_of_two_api_keys_of_one_user_do_not_collide(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database
) -> None:
    replayed = []
    for session_id in ("key:1", "key:2", "key:1.3", None, None):  # key:1.3 is the first key after a rotation
        headers = as_user(issuer, "k-1", session_id=session_id)
        response = await client.post("/api/v1/effects", json={"number": 5}, headers=headers)
        replayed.append(response.headers.get("Idempotent-Replayed"))
    assert replayed == [None, None, "true", None, "true"]
    assert len(await effects(database)) == 3


async def test_stored_response_is_not_returned_to_a_caller_who_lost_the_permission(
    client: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    accepted = await client.post("/api/v1/effects/managed", headers=as_user(issuer, "k-1", role=Role.MANAGER))
    refused = await client.post("/api/v1/effects/managed", headers=as_user(issuer, "k-1", role=Role.SALESPERSON))
    assert (accepted.status_code, refused.status_code, refused.json()["code"]) == (200, 403, "forbidden")


@pytest.mark.parametrize("seconds", [-25, 25])
async def test_token_of_a_clock_within_the_leeway_is_accepted(
    client: httpx.AsyncClient, issuer: TestIssuer, seconds: int
) -> None:
    now = int(time.time()) + seconds
    headers = as_user(issuer, iat=now, nbf=now, exp=now + 1)
    for _ in range(2):  # verified, then cached
        assert (await client.get("/api/v1/effects", headers=headers)).status_code == 200


@pytest.mark.parametrize("traceparent", ["x" * 5000, "00-zz-zz-01", ""])
async def test_unusable_trace_context_is_not_carried_into_events(
    client: httpx.AsyncClient, issuer: TestIssuer, database: Database, traceparent: str
) -> None:
    await client.get("/api/v1/effects/admin", headers=as_user(issuer, role=Role.MANAGER) | {"Traceparent": traceparent})
    async with database.reading() as session:
        assert "traceparent" not in (await session.execute(EVENTS)).one().headers


async def test_access_log_has_the_client_request_id_and_can_be_turned_off(
    database_url: str, issuer: TestIssuer, capsys: pytest.CaptureFixture[str]
) -> None:
    for settings in ({}, {"access_log": False}, {"log_level": "warning"}):
        chosen = ServiceSettings(env="development", database_url=database_url, **settings)
        app = create_app(Service("probe", "Probe", [router]), chosen, fetch_jwks=issuer.fetch_jwks)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            LifespanManager(app, startup_timeout=60, shutdown_timeout=60),
            httpx.AsyncClient(transport=transport, base_url="http://probe") as client,
        ):
            headers = {**as_user(issuer), "X-Request-ID": "till-7/42"}
            await client.get("/api/v1/effects", headers=headers)
            await client.get("/health/live", headers=headers)
            await client.get("/api/v1/effects/admin", headers={"X-Request-ID": "till-7/43"})
        access_log.flush()
        lines = [line for line in capsys.readouterr().err.splitlines() if "till-7" in line]
        if settings:
            assert lines == []
            continue
        listed, refused = lines
        assert "request.completed" in listed
        for field in ("service=probe", "method=GET", "route=/api/v1/effects ", "status=200", "caller=user:1 ", "42 "):
            assert field in listed + " "
        assert "status=401" in refused
        assert "caller=anonymous" in refused
