"""Second factors through the gateway: what a thief of a password or of an access token can do."""

import copy
import time
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pyotp

from stockbuddy.chassis.testing.authenticator import Authenticator
from stockbuddy.chassis.testing.clients import PASSWORD, User, register

STEP_SECONDS = 30


def code(secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // STEP_SECONDS + steps)


async def set_up(user: User) -> tuple[str, list[str]]:
    """Give the user an authenticator app; its secret and the recovery codes."""
    setup = await user.post("/auth/factors")
    confirmed = await user.call("POST", f"/auth/factors/{setup['id']}/confirm", json={"code": code(setup["secret"])})
    assert confirmed.status_code == 200, confirmed.text
    return setup["secret"], confirmed.json()["recovery_codes"]


async def test_password_alone_opens_nothing(http: httpx.AsyncClient, admin: User) -> None:
    username = f"guarded-{uuid4().hex[:8]}"
    user = await register(http, username)
    _, (recovery_code, *_) = await set_up(user)
    credentials: dict[str, Any] = {"username": username, "password": PASSWORD}
    refused = await http.post("/api/v1/auth/session", json=credentials)
    assert (refused.status_code, refused.json()["code"]) == (401, "second_factor_required")
    challenge = refused.json()["challenge"]
    for headers in (
        {"Authorization": f"Bearer {challenge}"},
        {"X-API-Key": challenge},
        {"Cookie": f"session={challenge}"},
    ):
        assert (await http.get("/api/v1/products", headers=headers)).status_code == 401
    done = await http.post("/api/v1/auth/login/second-factor", json={"challenge": challenge, "code": recovery_code})
    assert done.status_code == 200, done.text
    cookies = {"Cookie": f"session={done.cookies['session']}"}
    http.cookies.clear()
    assert (await http.get("/api/v1/products", headers=cookies)).status_code == 200


async def test_codes_are_limited_per_login(http: httpx.AsyncClient, admin: User) -> None:
    name = f"guessed-{uuid4().hex[:8]}"
    await set_up(await register(http, name))
    login = await http.post("/api/v1/auth/login", json={"username": name, "password": PASSWORD})
    guess = {"challenge": login.json()["challenge"], "code": "000000"}
    answers = [await http.post("/api/v1/auth/login/second-factor", json=guess) for _ in range(11)]
    assert [answer.status_code for answer in answers[:5]] == [401] * 5
    assert {answer.status_code for answer in answers[5:]} == {429}


async def test_passkey_logs_in_and_its_copy_does_not(http: httpx.AsyncClient, admin: User) -> None:
    user, key = await register(http, f"keyed-{uuid4().hex[:8]}"), Authenticator()
    started = await user.post("/auth/passkeys/options")
    body = {"challenge": started["challenge"], "passkey": key.create(started["options"]), "name": "key ring"}
    created = await user.call("POST", "/auth/passkeys", json=body)
    assert created.status_code == 201, created.text
    stolen = copy.copy(key)
    for authenticator, expected in ((key, 200), (stolen, 401), (key, 401)):
        started = (await http.post("/api/v1/auth/login/passkey/options")).json()
        body = {"challenge": started["challenge"], "passkey": authenticator.get(started["options"])}
        login = await http.post("/api/v1/auth/login/passkey", json=body)
        assert login.status_code == expected, login.text
        if expected == 200:
            headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
            assert (await http.get("/api/v1/products", headers=headers)).status_code == 200
