"""Registration, login by username or address in JSON or a form, and the profile."""

from typing import Any

import pytest

PASSWORD = "violet-Harbour-71"


async def test_registered_user_is_a_salesperson_without_secrets(auth: Any) -> None:
    user = await auth.register(username="JohnDoe", email="john@Example.com", full_name="John Doe")
    assert user["role"] == "salesperson"
    assert user["warehouse_ids"] is None
    assert user["is_active"] is True
    assert user["email"] == "john@example.com"
    assert not any("password" in name for name in user)


async def test_registration_repeated_with_idempotency_key_returns_first_response(auth: Any) -> None:
    token = await auth.admin_token()
    body = {"username": "ann", "email": "ann@example.com", "password": PASSWORD}
    again = {"headers": {"Idempotency-Key": "r-1"}, "token": token}
    first, second = [await auth.post("/auth/register", body, **again) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    anonymous = await auth.post("/auth/register", body, headers={"Idempotency-Key": "r-1"})
    assert anonymous.json()["code"] == "username_taken"  # keys belong to callers


async def test_created_resource_is_at_its_location(auth: Any, subtests: pytest.Subtests) -> None:
    admin = await auth.admin_token()
    for path, body in [
        ("/auth/register", {"username": "ann", "email": "ann@example.com", "password": PASSWORD}),
        ("/auth/admin/register", {"email": "bob@example.com", "password": PASSWORD}),
        ("/auth/invitations", {}),
        ("/auth/api-keys", {"name": "till 3"}),
    ]:
        with subtests.test(path=path):
            answers = [await auth.post(path, body, token=admin, headers={"Idempotency-Key": path}) for _ in range(2)]
            (location,) = {answer.headers["Location"].removeprefix("/api/v1") for answer in answers}
            found = await auth.get(location, token=admin)
            assert found.json().items() <= answers[0].json().items()
            assert found.status_code == 200
    session = await auth.post("/auth/session", {"username": "ann", "password": PASSWORD})
    assert (session.status_code, session.headers["Location"]) == (201, "/api/v1/auth/session")


async def test_login_by_name_or_address_in_json_or_form_returns_tokens(auth: Any, subtests: pytest.Subtests) -> None:
    user = await auth.register(username="JohnDoe", email="john@example.com")
    for form in [False, True]:
        for login in ["JohnDoe", "johndoe", "JOHN@example.com"]:
            for path in ["/auth/login", "/auth/login-json"]:
                with subtests.test(form=form, login=login, path=path):
                    body = {"username": login, "password": PASSWORD}
                    response = await auth.call("POST", path, **({"data": body} if form else {"json": body}))
                    assert response.status_code == 200
                    tokens = response.json()
                    assert (tokens["token_type"], tokens["expires_in"], tokens["user"]) == ("bearer", 900, user)
                    assert response.headers["Cache-Control"] == "no-store"
                    profile = await auth.get("/auth/profile", token=tokens["access_token"])
                    assert profile.json().items() >= user.items()


async def test_login_form_with_oauth2_fields_is_accepted(auth: Any) -> None:
    await auth.register(username="johndoe")
    form = {"grant_type": "password", "username": "johndoe", "password": PASSWORD, "scope": "", "client_id": ""}
    assert (await auth.call("POST", "/auth/login", data=form)).status_code == 200


async def test_registration_with_taken_name_or_address_in_other_case_is_rejected(
    auth: Any, subtests: pytest.Subtests
) -> None:
    await auth.register(username="johndoe", email="john@example.com")
    for body, taken in [
        ({"username": "JOHNDOE", "email": "other@example.com"}, "username_taken"),
        ({"username": "other", "email": "John@Example.com"}, "email_taken"),
    ]:
        with subtests.test(body=body, taken=taken):
            response = await auth.post("/auth/register", {**body, "password": PASSWORD})
            assert (response.status_code, response.json()["code"]) == (409, taken)


async def test_registration_with_invalid_field_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    for change, field in [
        ({"username": "with@sign"}, "username"),
        ({"username": "x" * 65}, "username"),
        ({"username": "nul\x00byte"}, "username"),
        ({"email": "no-address"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"full_name": "bell\x07"}, "full_name"),
        ({"pasword": "misspelt"}, "pasword"),
        ({"role": "admin"}, "role"),
    ]:
        with subtests.test(change=change, field=field):
            body = {"username": "johndoe", "email": "john@example.com", "password": PASSWORD, **change}
            response = await auth.post("/auth/register", body)
            assert response.status_code == 422
            assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_login_with_malformed_body_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    for content, content_type, status in [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[1, 2]", "application/json", 422),
        (b'{"username": "a"}', "application/json", 422),
        (b'{"username": {"$ne": null}, "password": "x"}', "application/json", 422),
        (b'{"username": "a\\u0000", "password": "x"}', "application/json", 422),
        (b'{"username": "\\ud800", "password": "x"}', "application/json", 422),
        (b'{"username": "a", "password": "\\ud800"}', "application/json", 422),
        (b"username=a", "application/x-www-form-urlencoded", 422),
        (b"username=a&password=b&admin=true", "application/x-www-form-urlencoded", 422),
        (b"<login/>", "text/xml", 415),
        (b"", "", 415),
    ]:
        for path in ["/auth/login", "/auth/admin/login"]:
            with subtests.test(content=content, content_type=content_type, status=status, path=path):
                response = await auth.call("POST", path, content=content, headers={"Content-Type": content_type})
                assert response.status_code == status, response.text
                assert response.headers["Content-Type"] == "application/problem+json"


async def test_profile_update_with_stale_entity_tag_is_rejected(auth: Any) -> None:
    tokens = await auth.member()
    token = tokens["access_token"]
    before = await auth.get("/auth/profile", token=token)
    changed = await auth.call("PATCH", "/auth/profile", token=token, json={"full_name": "Ada"})
    assert changed.json()["full_name"] == "Ada"
    after = await auth.get("/auth/profile", token=token)
    assert after.json() == changed.json()
    assert after.headers["ETag"] == changed.headers["ETag"] != before.headers["ETag"]
    known = await auth.get("/auth/profile", token=token, headers={"If-None-Match": after.headers["ETag"]})
    assert known.status_code == 304
    stale = {"If-Match": before.headers["ETag"]}
    late = await auth.call("PATCH", "/auth/profile", token=token, json={"full_name": "Eve"}, headers=stale)
    assert (late.status_code, late.json()["code"]) == (412, "stale_etag")


async def test_profile_update_with_foreign_or_taken_values_is_rejected(auth: Any, subtests: pytest.Subtests) -> None:
    await auth.register(username="johndoe", email="john@example.com")
    tokens = await auth.member()
    for body, status in [
        ({"role": "admin"}, 422),
        ({"is_active": True}, 422),
        ({"email": None}, 422),
        ({"username": None}, 422),
        ({"username": "johndoe"}, 409),
        ({"email": "JOHN@example.com", "password": PASSWORD}, 409),
        ({"username": "admin"}, 422),
    ]:
        with subtests.test(body=body, status=status):
            response = await auth.call("PATCH", "/auth/profile", token=tokens["access_token"], json=body)
            assert response.status_code == status, response.text
            profile = (await auth.get("/auth/profile", token=tokens["access_token"])).json()
            assert profile.items() >= tokens["user"].items()
