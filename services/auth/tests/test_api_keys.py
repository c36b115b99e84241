"""API keys: rights of their creator at most, secret returned once, token exchange, revocation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stockbuddy.contracts.internal import REVOCATIONS_PATH, TOKEN_EXCHANGE_PATH

PASSWORD = "violet-Harbour-71"


async def create_key(auth: Any, token: str, **fields: Any) -> dict[str, Any]:
    response = await auth.post("/auth/api-keys", {"name": "till 3", **fields}, token=token)
    assert response.status_code == 201, response.text
    key: dict[str, Any] = response.json()
    return key


async def exchange(auth: Any, **credential: Any) -> Any:
    return await auth.post(TOKEN_EXCHANGE_PATH, credential)


async def rights(auth: Any, key: dict[str, Any]) -> tuple[str, list[int] | None]:
    claims = auth.claims((await exchange(auth, api_key=key["key"])).json())
    return claims["role"], claims["warehouse_ids"]


async def test_api_key_acts_for_its_owner_until_deleted(auth: Any) -> None:
    tokens = await auth.member()
    token = tokens["access_token"]
    key = await create_key(auth, token)
    exchanged = await exchange(auth, api_key=key["key"])
    assert exchanged.status_code == 200
    assert exchanged.headers["Cache-Control"] == "no-store"
    assert 0 < exchanged.json()["expires_in"] <= 60
    claims = auth.claims(exchanged.json())
    assert (claims["sub"], claims["sid"]) == (str(tokens["user"]["id"]), f"key:{key['id']}")
    acting = exchanged.json()["access_token"]
    assert (await auth.get("/auth/profile", token=acting)).json()["code"] == "interactive_only"
    assert (await auth.call("DELETE", f"/auth/api-keys/{key['id']}", token=token)).status_code == 204
    refused = await exchange(auth, api_key=key["key"])
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_api_key")
    assert (await auth.get(REVOCATIONS_PATH)).json()["session_ids"] == [f"key:{key['id']}"]
    assert (await auth.call("DELETE", f"/auth/api-keys/{key['id']}", token=token)).status_code == 404
    made, revoked = await auth.event("auth.api_key.created"), await auth.event("auth.api_key.revoked")
    assert (made["api_key_id"], revoked["api_key_id"], revoked["reason"]) == (key["id"], key["id"], "deleted")


async def test_api_key_is_read_by_its_owner_and_admins(auth: Any) -> None:
    admin, owner, other = await auth.admin_token(), *[(await auth.member())["access_token"] for _ in range(2)]
    key = await create_key(auth, owner)
    path = f"/auth/api-keys/{key['id']}"
    for token in (owner, admin):
        assert (await auth.get(path, token=token)).json().items() <= key.items()
    assert (await auth.get(path, token=other)).status_code == 404
    assert (await auth.call("DELETE", path, token=owner)).status_code == 204
    assert (await auth.get(path, token=owner)).status_code == 404


async def test_secret_is_returned_once_and_never_stored(auth: Any, database_url: str) -> None:
    token = (await auth.member())["access_token"]
    headers = {"Idempotency-Key": "till-3"}
    response = await auth.post("/auth/api-keys", {"name": "till 3"}, token=token, headers=headers)
    again = await auth.post("/auth/api-keys", {"name": "till 3"}, token=token, headers=headers)
    assert again.json() == response.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    key = response.json()
    (listed,) = (await auth.get("/auth/api-keys", token=token)).json()["items"]
    assert "key" not in listed
    assert key["key"].endswith(listed["hint"])
    assert len(listed["hint"]) == 4
    connection = await asyncpg.connect(database_url)
    try:
        for table in ("idempotency_key", "api_key", "outbox_event"):
            rows = await connection.fetch(f"SELECT CAST(t AS text) AS row FROM auth.{table} t")
            assert not any(key["key"] in row["row"] for row in rows), table
    finally:
        await connection.close()


async def test_api_key_beyond_rights_of_creator_is_rejected(auth: Any) -> None:
    admin = await auth.admin_token()
    user = await auth.register()
    limits = {"role": "manager", "warehouse_ids": [1, 2]}
    await auth.call("PATCH", f"/users/{user['id']}", token=admin, json=limits)
    manager = (await auth.log_in(user["username"]))["access_token"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"role": "admin"}, "rights_exceeded"),
        ({"warehouse_ids": [1, 3]}, "rights_exceeded"),
    ]
    for fields, code in cases:
        refused = await auth.post("/auth/api-keys", {"name": "till", **fields}, token=manager)
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    assert await rights(auth, await create_key(auth, manager)) == ("manager", [1, 2])
    narrow = await create_key(auth, manager, role="salesperson", warehouse_ids=[2])
    assert await rights(auth, narrow) == ("salesperson", [2])
    assert await rights(auth, await create_key(auth, manager, warehouse_ids=[])) == ("manager", [])
    assert await rights(auth, await create_key(auth, admin)) == ("admin", None)


async def test_api_key_after_owners_role_change_is_revoked_or_restricted(auth: Any) -> None:
    admin = await auth.admin_token()
    user = await auth.register()
    path = f"/users/{user['id']}"
    await auth.call("PATCH", path, token=admin, json={"role": "manager"})
    manager = (await auth.log_in(user["username"]))["access_token"]
    higher = await create_key(auth, manager)
    wide = await create_key(auth, manager, role="salesperson", warehouse_ids=[1, 2])
    within = await create_key(auth, manager, role="salesperson", warehouse_ids=[1])
    free = await create_key(auth, manager, role="salesperson")
    before = auth.claims((await exchange(auth, api_key=free["key"])).json())["sid"]
    await auth.call("PATCH", path, token=admin, json={"role": "salesperson", "warehouse_ids": [1]})
    assert (await exchange(auth, api_key=higher["key"])).status_code == 401
    assert (await exchange(auth, api_key=wide["key"])).status_code == 401
    assert await rights(auth, within) == ("salesperson", [1])
    assert await rights(auth, free) == ("salesperson", [1])
    after = auth.claims((await exchange(auth, api_key=free["key"])).json())["sid"]
    revoked = (await auth.get(REVOCATIONS_PATH)).json()["session_ids"]
    assert before in revoked
    assert after not in revoked


async def test_token_of_api_key_never_exceeds_rights_of_owner(auth: Any, database_url: str) -> None:
    key = await create_key(auth, await auth.admin_token(), warehouse_ids=[1, 2])
    assert await rights(auth, key) == ("admin", [1, 2])
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE auth.user_account SET role = 'salesperson', warehouse_ids = '{2, 3}'")
    finally:
        await connection.close()
    assert await rights(auth, key) == ("salesperson", [2])


async def test_expired_api_key_is_rejected_and_its_tokens_expire_with_it(auth: Any, database_url: str) -> None:
    token = (await auth.member())["access_token"]
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    key = await create_key(auth, token, expires_at=soon)
    assert (await exchange(auth, api_key=key["key"])).json()["expires_in"] <= 30
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE auth.api_key SET expires_at = now()")
    finally:
        await connection.close()
    assert (await exchange(auth, api_key=key["key"])).status_code == 401


async def test_expiry_with_offset_is_returned_in_utc(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    key = await create_key(auth, token, expires_at="2999-01-01T01:30:00+01:30")
    (listed,) = (await auth.get("/auth/api-keys", token=token)).json()["items"]
    assert key["expires_at"] == listed["expires_at"] == "2999-01-01T00:00:00Z"


async def test_token_exchange_records_last_use(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    key = await create_key(auth, token)
    assert key["last_used_at"] is None
    await exchange(auth, api_key=key["key"])
    (listed,) = (await auth.get("/auth/api-keys", token=token)).json()["items"]
    assert datetime.fromisoformat(listed["last_used_at"]) > datetime.fromisoformat(key["created_at"])


async def test_api_keys_of_others_are_visible_to_admins_only(auth: Any) -> None:
    admin = await auth.admin_token()
    one, other = [(await auth.member())["access_token"] for _ in range(2)]
    mine, theirs = await create_key(auth, one), await create_key(auth, other)

    async def seen(token: str, **query: Any) -> list[int]:
        answer = await auth.get("/auth/api-keys", token=token, params=query)
        return [key["id"] for key in answer.json()["items"]]

    assert await seen(one) == [mine["id"]]
    assert await seen(admin) == []
    assert await seen(admin, all="true") == [theirs["id"], mine["id"]]
    assert (await auth.get("/auth/api-keys", token=one, params={"all": "true"})).status_code == 403
    assert (await auth.call("DELETE", f"/auth/api-keys/{theirs['id']}", token=one)).status_code == 404
    assert (await auth.call("DELETE", f"/auth/api-keys/{theirs['id']}", token=admin)).status_code == 204
    assert await seen(other) == []


async def test_api_key_cannot_access_its_owners_account(auth: Any) -> None:
    tokens = await auth.member()
    key = await create_key(auth, tokens["access_token"])
    acting = (await exchange(auth, api_key=key["key"])).json()["access_token"]
    change = {"old_password": PASSWORD, "new_password": "amber-Lantern-58", "confirm_password": "amber-Lantern-58"}
    for method, path, body in [
        ("POST", "/auth/api-keys", {"name": "more"}),
        ("DELETE", f"/auth/api-keys/{key['id']}", None),
        ("GET", "/auth/api-keys", None),
        ("GET", "/auth/sessions", None),
        ("GET", "/auth/profile", None),
        ("POST", "/auth/logout", None),
        ("DELETE", f"/auth/sessions/{auth.claims(tokens)['sid']}", None),
        ("POST", "/auth/password/change", change),
        ("PATCH", "/auth/profile", {"email": "thief@example.com"}),
    ]:
        response = await auth.call(method, path, token=acting, json=body)
        assert (response.status_code, response.json()["code"]) == (403, "interactive_only"), path


async def test_token_exchange_with_invalid_credential_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    for body, status in [
        ({"api_key": "sbk_unknown"}, 401),
        ({"api_key": "\x00"}, 401),
        ({"session_cookie": "unknown"}, 401),
        ({}, 422),
        ({"api_key": "a", "session_cookie": "b"}, 422),
        ({"api_key": ""}, 422),
        ({"api_key": "x" * 201}, 422),
        ({"api_key": 1}, 422),
    ]:
        with subtests.test(body=body, status=status):
            response = await auth.post(TOKEN_EXCHANGE_PATH, body)
            assert response.status_code == status
            assert "access_token" not in response.json()
