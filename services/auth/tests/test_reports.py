"""What the gateway reports: its own denials are put on record, and what was used shows when."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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


async def test_a_denial_is_on_record_with_the_origin_of_what_was_denied(auth: Any) -> None:
    nobodys = {
        "method": "GET",
        "path": "/api/v1/sales",
        "code": "https_required",
        "client_ip": "::1",
        "request_id": "r",
    }
    report = {"denials": [DENIAL, nobodys]}
    assert (await auth.post("/internal/denials", report)).status_code == 204
    first, second = await auth.events("auth.access.denied", at_least=2)
    assert first == {
        "service": "gateway",
        "method": "POST",
        "path": "/api/v1/products",
        "code": "csrf_failed",
        "user_id": 7,
    }
    assert (second["code"], second["user_id"]) == ("https_required", None)
    said = [message.headers for message in auth.bus.published if message.type == "auth.access.denied"]
    origins = [
        {name: headers.get(name) for name in ("actorid", "actorname", "clientip", "requestid")} for headers in said
    ]
    assert origins == [
        {"actorid": "7", "actorname": "ann", "clientip": "203.0.113.9", "requestid": "r-1"},
        {"actorid": None, "actorname": None, "clientip": "::1", "requestid": "r"},
    ]
    assert said[0]["traceparent"] == DENIAL["traceparent"]


async def test_a_report_that_makes_no_sense_is_refused(auth: Any, subtests: pytest.Subtests) -> None:
    use = {"session_id": "key:1", "at": "2026-01-01T00:00:00Z"}
    for path, report in [
        ("/internal/denials", {"denials": [{**DENIAL, "path": "a\x00b"}]}),
        ("/internal/denials", {"denials": [{**DENIAL, "more": 1}]}),
        ("/internal/denials", {"denials": [DENIAL] * 101}),
        ("/internal/uses", {"uses": [{**use, "at": "2026-01-01T00:00:00"}]}),
        ("/internal/uses", {"uses": [use] * 1001}),
    ]:
        with subtests.test(path=path):
            assert (await auth.post(path, report)).status_code == 422


async def test_the_last_use_of_sessions_and_keys_shows(auth: Any) -> None:
    tokens = await auth.member()
    token, session_id = tokens["access_token"], auth.claims(tokens)["sid"]
    key = (await auth.post("/auth/api-keys", {"name": "till"}, token=token)).json()
    key_sid = f"key:{key['id']}"

    async def report(at: datetime, *sids: str) -> None:
        uses = [{"session_id": sid, "at": at.isoformat()} for sid in sids]
        assert (await auth.post("/internal/uses", {"uses": uses})).status_code == 204

    async def shown() -> set[datetime]:
        lists = [(await auth.get(f"/auth/{of}", token=token)).json()["items"] for of in ("sessions", "api-keys")]
        return {datetime.fromisoformat(item["last_used_at"]) for items in lists for item in items}

    first = datetime.now(UTC)
    await report(first, session_id, key_sid)
    assert await shown() == {first}
    await report(first - timedelta(hours=1), session_id, key_sid)  # of a gateway that is late
    assert await shown() == {first}
    second = datetime.now(UTC)
    await report(second, f"{session_id}.3", session_id, f"{key_sid}.2", key_sid, f"{key_sid}.2")
    assert await shown() == {second}
    await report(second + timedelta(hours=1), session_id, key_sid)  # of one whose clock is ahead
    assert all(second < at <= datetime.now(UTC) for at in await shown())
    strangers = ("browser-1", str(uuid.uuid4()), "key:99", "key:x", "key:" + "9" * 30, "key:1.x")
    await report(datetime.now(UTC), *strangers)
