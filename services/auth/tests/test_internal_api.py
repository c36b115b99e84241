"""The gateway's reports: denied requests are published, and last uses are recorded."""

import time
import uuid
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from stockbuddy.chassis.http.internal_calls import sign_internal_call
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.companies import company_context
from stockbuddy.contracts.internal import DENIALS_PATH, LAST_USED_PATH, REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH

GATEWAY_SECRET = SecretStr("a-secret-that-auth-shares-with-the-gateway")  # set in conftest.py

DENIAL = {
    "method": "POST",
    "path": "/api/v1/products",
    "code": "csrf_failed",
    "user_id": 7,
    "username": "ann",
    "client_ip": "203.0.113.9",
    "request_id": "r-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


async def test_call_that_is_not_signed_by_the_gateway_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    tokens = await auth.member()
    now = time.time()
    secret = GATEWAY_SECRET.get_secret_value()
    unsigned = {"iss": "gateway", "aud": "internal", "iat": int(now), "exp": int(now) + 60}
    calls = [
        ("POST", DENIALS_PATH, {"requests": [DENIAL]}),
        ("POST", LAST_USED_PATH, {"sessions": []}),
        ("POST", TOKEN_EXCHANGE_PATH, {"api_key": "x"}),
        ("GET", REVOCATIONS_PATH, None),
    ]
    for name, authorization in [
        ("none", ""),
        ("access token", f"Bearer {tokens['access_token']}"),
        ("other secret", f"Bearer {sign_internal_call('another-secret-of-the-same-length!!', 'gateway', now)}"),
        ("expired", f"Bearer {sign_internal_call(secret, 'gateway', now - 3600)}"),
        ("not yet valid", f"Bearer {sign_internal_call(secret, 'gateway', now + 3600)}"),
        ("other type", f"Bearer {jwt.encode(unsigned, secret, algorithm='HS256')}"),
        ("unsigned", f"Bearer {jwt.encode(unsigned, '', algorithm='none', headers={'typ': 'internal+jwt'})}"),
    ]:
        for method, path, body in calls:
            with subtests.test(name=name, path=path):
                response = await auth.call(method, path, json=body, headers={"Authorization": authorization})
                assert (response.status_code, response.json()["code"]) == (401, "unsigned_call")
    assert not [message for message in auth.bus.published if message.type == "auth.access.denied"]


async def test_internal_call_for_one_company_is_none_for_another(auth: Any) -> None:
    with company_context("acme"):
        token = sign_internal_call(GATEWAY_SECRET.get_secret_value(), "gateway", time.time())
    for company, status in (("acme", 200), ("beta", 401), (None, 401)):
        with company_context(company):
            response = await auth.get(REVOCATIONS_PATH, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == status, company


async def test_internal_call_within_the_clock_leeway_is_accepted(auth: Any) -> None:
    for offset in (-80, 20):
        token = sign_internal_call(GATEWAY_SECRET.get_secret_value(), "gateway", time.time() + offset)
        headers = {"Authorization": f"Bearer {token}"}
        assert (await auth.get(REVOCATIONS_PATH, headers=headers)).status_code == 200


async def test_reported_denial_is_published_in_context_of_denied_request(auth: Any) -> None:
    anonymous = {
        "method": "GET",
        "path": "/api/v1/sales",
        "code": "https_required",
        "client_ip": "::1",
        "request_id": "r",
    }
    report = {"requests": [DENIAL, anonymous]}
    assert (await auth.post(DENIALS_PATH, report)).status_code == 204
    first, second = await auth.events("auth.access.denied", at_least=2)
    assert first == {
        "service": "gateway",
        "method": "POST",
        "path": "/api/v1/products",
        "code": "csrf_failed",
        "user_id": 7,
        "repetitions": 0,
    }
    assert (second["code"], second["user_id"]) == ("https_required", None)
    published = [message.headers for message in auth.bus.published if message.type == "auth.access.denied"]
    contexts = [
        {name: headers.get(name) for name in ("actorid", "actorname", "clientip", "requestid")} for headers in published
    ]
    assert contexts == [
        {"actorid": "7", "actorname": "ann", "clientip": "203.0.113.9", "requestid": "r-1"},
        {"actorid": None, "actorname": None, "clientip": "::1", "requestid": "r"},
    ]
    assert published[0]["traceparent"] == DENIAL["traceparent"]


async def test_invalid_report_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    use = {"session_id": "key:1", "used_at": "2026-01-01T00:00:00Z"}
    for path, report in [
        (DENIALS_PATH, {"requests": [{**DENIAL, "path": "a\x00b"}]}),
        (DENIALS_PATH, {"requests": [{**DENIAL, "more": 1}]}),
        (DENIALS_PATH, {"requests": [DENIAL] * 101}),
        (LAST_USED_PATH, {"sessions": [{**use, "used_at": "2026-01-01T00:00:00"}]}),
        (LAST_USED_PATH, {"sessions": [use] * 1001}),
    ]:
        with subtests.test(path=path):
            assert (await auth.post(path, report)).status_code == 422


async def test_reported_last_use_of_sessions_and_keys_is_recorded(auth: Any) -> None:
    tokens = await auth.member()
    token, session_id = tokens["access_token"], auth.claims(tokens)["sid"]
    key = (await auth.post("/auth/api-keys", {"name": "till"}, token=token)).json()
    key_sid = f"key:{key['id']}"

    async def report(at: datetime, *sids: str) -> None:
        uses = [{"session_id": sid, "used_at": at.isoformat()} for sid in sids]
        assert (await auth.post(LAST_USED_PATH, {"sessions": uses})).status_code == 204

    async def listed() -> set[datetime]:
        lists = [(await auth.get(f"/auth/{of}", token=token)).json()["items"] for of in ("sessions", "api-keys")]
        return {datetime.fromisoformat(item["last_used_at"]) for items in lists for item in items}

    first = clock.now()
    await report(first, session_id, key_sid)
    assert await listed() == {first}
    await report(first - timedelta(hours=1), session_id, key_sid)  # a late report
    assert await listed() == {first}
    second = clock.now()
    await report(second, f"{session_id}.3", session_id, f"{key_sid}.2", key_sid, f"{key_sid}.2")
    assert await listed() == {second}
    await report(second + timedelta(hours=1), session_id, key_sid)  # from a gateway whose clock is ahead
    assert all(second < at <= clock.now() for at in await listed())
    unknown = ("browser-1", str(uuid.uuid4()), "key:99", "key:x", "key:" + "9" * 30, "key:1.x")
    await report(clock.now(), *unknown)
