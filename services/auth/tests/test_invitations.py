"""Invitations: created by admins, accepted once, and the login of sales staff."""

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

PASSWORD = "violet-Harbour-71"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def invite(auth: Any, admin: str, **fields: Any) -> dict[str, Any]:
    response = await auth.post("/auth/invitations", fields, token=admin)
    assert response.status_code == 201, response.text
    invitation: dict[str, Any] = response.json()
    return invitation


def entry(token: str | None, email: str = "ann.lee@example.com", **more: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "access_token": token, **more}


async def test_accepted_invitation_creates_user_with_its_rights(auth: Any) -> None:
    admin = await auth.admin_token()
    made = await invite(auth, admin, role="manager", warehouse_ids=[2, 1], note="the new branch")
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{10}", made["token"])
    assert made["is_used"] is False
    response = await auth.post("/auth/salesperson", entry(made["token"].lower(), full_name="Ann Lee"))
    assert response.status_code == 201, response.text
    tokens = response.json()
    user = tokens["user"]
    assert (user["username"], user["email"], user["full_name"]) == ("ann.lee", "ann.lee@example.com", "Ann Lee")
    assert (user["role"], user["warehouse_ids"]) == ("manager", [1, 2])
    assert (await auth.get("/auth/profile", token=tokens["access_token"])).json().items() >= user.items()
    location = response.headers["Location"].removeprefix("/api/v1")
    assert (await auth.get(location, token=admin)).json() == user
    used = await auth.event("auth.invitation.used")
    assert (used["invitation_id"], used["used_by"]) == (made["id"], user["id"])
    (listed,) = (await auth.get("/auth/invitations", token=admin)).json()["items"]
    assert (listed["is_used"], listed["used_by"], listed["note"]) == (True, user["id"], "the new branch")
    assert (await auth.get(f"/auth/invitations/{made['id']}", token=admin)).json() == listed
    assert "token" not in listed
    again = await auth.post("/auth/salesperson", entry(made["token"], email="other@example.com"))
    assert (again.status_code, again.json()["code"]) == (401, "invalid_invitation")


async def test_concurrent_acceptances_of_one_invitation_create_one_user(auth: Any, database_url: str) -> None:
    """Some requests wait for the row lock of the invitation, then proceed together; few, because each one hashes a
    password first, and a lock is waited for only a few seconds."""
    admin = await auth.admin_token()
    made = await invite(auth, admin)
    entries = [entry(made["token"], email=f"ann{number}@example.com") for number in range(3)]
    barrier, observer = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        async with barrier.transaction():
            await barrier.execute("SELECT FROM auth.invitation FOR UPDATE")
            attempts = [asyncio.create_task(auth.post("/auth/salesperson", each)) for each in entries]
            async with asyncio.timeout(60):
                while await observer.fetchval(WAITING) < len(entries):
                    await asyncio.sleep(0.05)
    finally:
        await barrier.close()
        await observer.close()
    answers = await asyncio.gather(*attempts)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 401: 2}
    assert (await auth.get("/users", token=admin, params={"search": "ann"})).json()["total"] == 1


async def test_salesperson_login_ignores_invitation(auth: Any) -> None:
    admin = await auth.admin_token()
    made = await invite(auth, admin)
    fresh = await invite(auth, admin)
    created = (await auth.post("/auth/salesperson", entry(made["token"]))).json()
    for token in (None, made["token"], fresh["token"], "WRONG"):
        response = await auth.post("/auth/salesperson", entry(token))
        assert response.status_code == 200
        assert response.json()["user"] == created["user"]
    unused = await auth.post("/auth/salesperson", entry(fresh["token"], email="other@example.com"))
    assert unused.status_code == 201, "a login does not use the invitation"


async def test_failed_salesperson_logins_do_not_reveal_registered_addresses(auth: Any) -> None:
    admin = await auth.admin_token()
    made = await invite(auth, admin)
    await auth.post("/auth/salesperson", entry(made["token"]))
    wrong = await auth.post("/auth/salesperson", entry(None) | {"password": "wrong-Harbour-71"})
    unknown = await auth.post("/auth/salesperson", entry(None, email="unknown@example.com"))
    for answer in (wrong, unknown):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert answer.json()["detail"] == wrong.json()["detail"]
    guessed = await auth.post("/auth/salesperson", entry("2345678923", email="unknown@example.com"))
    known = await auth.post("/auth/salesperson", entry("2345678923") | {"password": "wrong-Harbour-71"})
    for answer in (guessed, known):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_invitation")
        assert answer.json()["detail"] == guessed.json()["detail"]


async def test_salesperson_login_of_other_roles_is_rejected(auth: Any) -> None:
    await auth.register_admin()
    response = await auth.post("/auth/salesperson", entry(None, email="boss@example.com"))
    assert (response.status_code, response.json()["code"]) == (403, "salespeople_only")


async def test_weak_password_does_not_use_invitation(auth: Any) -> None:
    made = await invite(auth, await auth.admin_token())
    for weak in ("short", "password1", "x" * 129):
        response = await auth.post("/auth/salesperson", entry(made["token"]) | {"password": weak})
        assert response.status_code == 422, weak
    assert (await auth.post("/auth/salesperson", entry(made["token"]))).status_code == 201


async def test_usernames_derived_from_addresses_are_unique(auth: Any) -> None:
    admin = await auth.admin_token()
    names = []
    for number, local_part in enumerate(["ann", "ann", "x", "+", "o'neill"]):
        made = await invite(auth, admin)
        response = await auth.post(
            "/auth/salesperson", entry(made["token"], email=f"{local_part}@{number}.example.com")
        )
        assert response.status_code == 201, response.text
        names.append(response.json()["user"]["username"])
    assert names[0] == "ann"
    assert re.fullmatch(r"ann-\w{8}", names[1])
    assert len({name.lower() for name in names}) == 5


async def test_revoked_or_expired_invitation_is_rejected(auth: Any, database_url: str) -> None:
    admin = await auth.admin_token()
    revoked, expired, used = [await invite(auth, admin) for _ in range(3)]
    assert (await auth.call("DELETE", f"/auth/invitations/{revoked['id']}", token=admin)).status_code == 204
    assert (await auth.call("DELETE", f"/auth/invitations/{revoked['id']}", token=admin)).status_code == 404
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE auth.invitation SET expires_at = now() WHERE id = $1", expired["id"])
    finally:
        await connection.close()
    for invalid in (revoked, expired):
        assert (await auth.post("/auth/salesperson", entry(invalid["token"]))).status_code == 401
    assert (await auth.post("/auth/salesperson", entry(used["token"]))).status_code == 201
    assert (await auth.call("DELETE", f"/auth/invitations/{used['id']}", token=admin)).status_code == 409
    assert (await auth.event("auth.invitation.revoked"))["invitation_id"] == revoked["id"]


async def test_invitations_are_accessible_to_admins_only(auth: Any) -> None:
    member = (await auth.member())["access_token"]
    for method, path in [("POST", ""), ("GET", ""), ("GET", "/1"), ("DELETE", "/1")]:
        assert (await auth.call(method, f"/auth/invitations{path}", json={})).status_code == 401
        assert (await auth.call(method, f"/auth/invitations{path}", token=member, json={})).status_code == 403


async def test_invalid_invitation_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    admin = await auth.admin_token()
    for fields in [
        {"role": "owner"},
        {"warehouse_ids": ["MAIN"]},
        {"warehouse_ids": [True]},
        {"expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()},
        {"expires_at": "2999-01-01T00:00:00"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
        {"note": "x" * 501},
        {"token": "CHOSEN2345"},
    ]:
        with subtests.test(fields=fields):
            assert (await auth.post("/auth/invitations", fields, token=admin)).status_code == 422


async def test_retried_creation_returns_same_token_which_is_stored_encrypted(auth: Any, database_url: str) -> None:
    admin = await auth.admin_token()
    key = {"Idempotency-Key": "invite-ann"}
    answers = await asyncio.gather(
        *(auth.post("/auth/invitations", {"note": "ann"}, token=admin, headers=key) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["token"] for answer in answers}) == 1
    assert (await auth.get("/auth/invitations", token=admin)).json()["total"] == 1
    token = answers[0].json()["token"]
    connection = await asyncpg.connect(database_url)
    try:
        for table in ("idempotency_key", "invitation", "outbox_event"):
            rows = await connection.fetch(f"SELECT CAST(t AS text) AS row FROM auth.{table} t")
            assert not any(token in row["row"] for row in rows), table
    finally:
        await connection.close()
