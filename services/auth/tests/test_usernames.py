"""Usernames that look like others, invisible characters, mixed scripts and reserved names (UTS 39)."""

import asyncio
import runpy
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from stockbuddy.auth.app import MIGRATIONS
from stockbuddy.auth.cleanup import delete_expired
from stockbuddy.auth.usernames import derive_username, require_acceptable, username_skeleton

PASSWORD = "violet-Harbour-71"
CYRILLIC_SCOPE = "\u0441\u043e\u0440\u0435"
ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"
FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "cope")


def body(username: str, number: int = 0) -> dict[str, str]:
    return {"username": username, "email": f"someone{number}@example.com", "password": PASSWORD}


async def test_username_that_looks_like_another_is_taken(auth: Any, subtests: pytest.Subtests) -> None:
    await auth.register(username="cope")
    await auth.register(username="till1")
    await auth.register(username="bob")
    token = (await auth.log_in("bob"))["access_token"]
    for username in (CYRILLIC_SCOPE, "COPE", "C0PE", "tilll", "TiIl1"):
        with subtests.test(username=username):
            response = await auth.post("/auth/register", body(username))
            assert (response.status_code, response.json()["code"]) == (409, "username_taken")
            renamed = await auth.call("PATCH", "/auth/profile", token=token, json={"username": username})
            assert (renamed.status_code, renamed.json()["code"]) == (409, "username_taken")


async def test_deceptive_or_reserved_username_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    for username in (
        *(f"co{ZERO_WIDTH_JOINER}pe", FULL_WIDTH, "c\N{CYRILLIC SMALL LETTER O}pe", "co\N{COMBINING LOW LINE}pe"),
        *("admin", "System", "root", "r00t", "adm\N{LATIN SMALL LETTER DOTLESS I}n", "SUPPORT"),
    ):
        for path in ("/auth/register", "/auth/admin/register"):
            with subtests.test(username=username, path=path):
                response = await auth.post(path, body(username))
                assert response.status_code == 422
                assert [error["field"] for error in response.json()["errors"]] == ["username"]


async def test_concurrent_registrations_of_similar_names_succeed_once(auth: Any) -> None:
    names = ["cope", CYRILLIC_SCOPE, "c0pe", "COPE"]
    answers = await asyncio.gather(
        *(auth.post("/auth/register", body(name, number)) for number, name in enumerate(names))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize("username", ["ann.lee", "José", "Москва", "山田", "กำ", "हिन्दी"])
def test_names_of_any_one_script_are_accepted(username: str) -> None:
    assert require_acceptable(username) == username


def test_username_derived_from_an_address_is_acceptable(subtests: pytest.Subtests) -> None:
    for email in ("admin@shop.example", "a@b.example", '"..."@b.example', "adm\N{CYRILLIC SMALL LETTER I}n@b.example"):
        with subtests.test(email=email):
            username = derive_username(email)
            assert require_acceptable(username) == username
            assert len(username) > 1


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("İpek", ["İpek", "ipek", "IPEK", "I\u0307pek"]),
        ("ΣΑΣ", ["ΣΑΣ", "σας", "\u03c3\u03b1\u03c3"]),
        ("Émile", ["Émile", "émile", "e\u0301mile"]),
    ],
)
async def test_login_and_uniqueness_ignore_case_of_every_script(auth: Any, name: str, spellings: list[str]) -> None:
    user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    assert (await auth.post("/auth/register", user)).status_code == 201
    for login in [*spellings, *(f"{spelling}@EXAMPLE.com" for spelling in spellings)]:
        response = await auth.post("/auth/login", {"username": login, "password": PASSWORD})
        assert (response.status_code, response.json().get("user", {}).get("username")) == (200, name), login
    for spelling in spellings[:2]:
        taken = await auth.post("/auth/register", {**user, "username": spelling, "email": "other@example.com"})
        assert taken.json()["code"] == "username_taken"
        taken = await auth.post("/auth/register", {**user, "username": "other", "email": f"{spelling}@example.com"})
        assert taken.json()["code"] == "email_taken"


async def test_users_of_earlier_releases_with_equal_keys_keep_their_accounts(auth: Any, database_url: str) -> None:
    """As migration 0007 finds them in a database whose locale folds ASCII only."""
    for number, name in enumerate(["Maria", "Emil"]):
        assert (await auth.post("/auth/register", body(name, number))).status_code == 201
    migration = runpy.run_path(str(MIGRATIONS / "versions/0007_case_keys.py"))
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "auth"})
    try:
        await connection.execute("DROP INDEX user_account_username_by_case; DROP INDEX user_account_username_key")
        await connection.execute("UPDATE user_account SET username = 'ΣΑΣ' WHERE username = 'Maria'")
        await connection.execute("UPDATE user_account SET username = 'σας' WHERE username = 'Emil'")
        await connection.execute(migration["INDEX"].format(name="user_account_username_by_case", column="username"))
    finally:
        await connection.close()
    for name in ("ΣΑΣ", "σας"):
        assert (await auth.log_in(name, PASSWORD))["user"]["username"] == name


async def test_first_admin_needs_address_and_password_only(auth: Any) -> None:
    credentials = {"email": "admin@shop.example", "password": PASSWORD}
    user = (await auth.post("/auth/admin/register", credentials)).json()
    assert user["username"].startswith("admin-")
    assert (user["is_admin"], user["is_salesperson"]) == (True, False)
    login = await auth.post("/auth/admin/login", credentials)
    assert login.status_code == 200, login.text
    both = await auth.post("/auth/admin/login", {**credentials, "username": "x"})
    assert both.status_code == 422


async def test_migration_keeps_existing_names_and_gives_admins_the_skeleton(database_url: str) -> None:
    """Executes the data migration of 0005 on users as earlier releases stored them."""
    migration = runpy.run_path(str(MIGRATIONS / "versions/0005_accounts.py"))
    names = [("cope", "salesperson"), (CYRILLIC_SCOPE, "admin"), ("admin", "admin"), ("ann", "manager")]
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "auth"})
    try:
        for name, role in names:
            await connection.execute(
                "INSERT INTO user_account (username, email, password_hash, role, is_active, version, created_at,"
                " updated_at) VALUES ($1, $1 || '@example.com', '', $2, true, 1, now(), now())",
                name,
                role,
            )
        rows = await connection.fetch(migration["USERS"])
        skeletons = migration["choose_skeletons"]([(row["id"], row["username"]) for row in rows])
    finally:
        await connection.close()
    by_name = {row["username"]: skeletons.get(row["id"]) for row in rows}
    assert by_name == {
        "cope": None,
        CYRILLIC_SCOPE: username_skeleton("cope"),
        "admin": username_skeleton("admin"),
        "ann": username_skeleton("ann"),
    }


async def test_user_of_an_earlier_release_gets_a_skeleton_unless_taken(auth: Any, database_url: str) -> None:
    for name in ("ann", "bob"):
        await auth.register(username=name)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE auth.user_account SET username_skeleton = NULL")
        await connection.execute("UPDATE auth.user_account SET username_skeleton = 'bob' WHERE username = 'ann'")
        await delete_expired(auth.app.state.resources.database, datetime.now(UTC))
        skeletons = await connection.fetch("SELECT username, username_skeleton FROM auth.user_account")
        assert {row["username"]: row["username_skeleton"] for row in skeletons} == {"ann": "bob", "bob": None}
        await connection.execute("UPDATE auth.user_account SET username_skeleton = NULL")
        await delete_expired(auth.app.state.resources.database, datetime.now(UTC))
        assert await connection.fetchval("SELECT count(username_skeleton) FROM auth.user_account") == 2
    finally:
        await connection.close()
