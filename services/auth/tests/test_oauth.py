"""The OAuth2 token endpoint (RFC 6749)."""

import base64
from typing import Any

import pytest

PASSWORD = "violet-Harbour-71"


async def request_token(auth: Any, form: Any, **more: Any) -> Any:
    """`form`: fields, or text if it must be malformed."""
    if isinstance(form, str):
        headers = {"Content-Type": "application/x-www-form-urlencoded", **more.pop("headers", {})}
        return await auth.call("POST", "/auth/token", content=form, headers=headers, **more)
    return await auth.call("POST", "/auth/token", data=form, **more)


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


async def test_password_and_refresh_token_grants_return_tokens(auth: Any) -> None:
    user = await auth.register()
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "scope": "all", "x": "ignored"}
    response = await request_token(auth, form)
    assert response.status_code == 200, response.text
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")
    tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    assert (await auth.get("/auth/profile", token=tokens["access_token"])).json().items() >= user.items()
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    fresh = await request_token(auth, refresh)
    assert fresh.status_code == 200
    reused = await request_token(auth, refresh)
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    ended = await request_token(auth, {"grant_type": "refresh_token", "refresh_token": fresh.json()["refresh_token"]})
    assert ended.status_code == 400


@pytest.mark.parametrize("in_header", [True, False])
async def test_client_credentials_grant_accepts_api_key(auth: Any, in_header: bool) -> None:
    tokens = await auth.member()
    key = (await auth.post("/auth/api-keys", {"name": "till"}, token=tokens["access_token"])).json()
    form = {"grant_type": "client_credentials"}
    if in_header:
        response = await request_token(auth, form, headers=basic(str(key["id"]), key["key"]))
    else:
        response = await request_token(auth, form | {"client_id": str(key["id"]), "client_secret": key["key"]})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert set(answer) == {"access_token", "token_type", "expires_in"}
    assert answer["expires_in"] == 900
    assert auth.claims(answer)["sid"] == f"key:{key['id']}"
    event = await auth.event("auth.api_key.authenticated")
    assert event == {"api_key_id": key["id"], "owner_id": tokens["user"]["id"]}


async def test_invalid_client_credentials_are_rejected(auth: Any) -> None:
    token = (await auth.member())["access_token"]
    one, other = [(await auth.post("/auth/api-keys", {"name": "till"}, token=token)).json() for _ in range(2)]
    form = {"grant_type": "client_credentials"}
    for headers in (
        {},
        basic(str(one["id"]), other["key"]),
        basic(str(one["id"]), "wrong"),
        basic("0", one["key"]),
        basic("²", one["key"]),
        basic("9" * 30, one["key"]),
        basic("till", one["key"]),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
    ):
        response = await request_token(auth, form, headers=headers)
        body = response.json()
        assert (response.status_code, body["error"], body["code"]) == (401, "invalid_client", "invalid_client")
        assert response.headers["WWW-Authenticate"].startswith("Basic")


async def test_token_errors_are_oauth2_errors_and_problems(auth: Any, subtests: pytest.Subtests) -> None:
    for form, error in [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a"}, "invalid_request"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "invalid_grant"),
        ({"grant_type": "password", "username": "a\x00", "password": "b"}, "invalid_request"),
        ({"grant_type": "password", "username": "a" * 300, "password": "b"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ("grant_type=password&grant_type=refresh_token", "invalid_request"),
        ("&".join(f"p{number}=1" for number in range(40)), "invalid_request"),
    ]:
        with subtests.test(form=form, error=error):
            response = await request_token(auth, form)
            body = response.json()
            assert (response.status_code, body["error"], body["code"]) == (400, error, error)
            assert body["error_description"] == body["detail"]
            assert (body["status"], body["title"]) == (400, "Bad Request")
            assert response.headers["Cache-Control"] == "no-store"


async def test_token_request_in_json_is_rejected(auth: Any) -> None:
    response = await auth.post("/auth/token", {"grant_type": "password"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_password_grant_is_throttled(auth: Any) -> None:
    form = {"grant_type": "password", "username": "unknown", "password": "wrong"}
    answers = [await request_token(auth, form) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
