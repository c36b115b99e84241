"""Who schemathesis calls as (its `SCHEMATHESIS_HOOKS`): one admin of many, because the calls themselves log admins out,
rename them, lock them and take their rights away; whoever is refused is followed by the next."""

import os
from typing import Any

import httpx2 as httpx
import schemathesis


@schemathesis.auth()
class Callers:
    """Logs in again after every 401."""

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=os.environ["FUZZ_URL"], timeout=30)
        self._left = os.environ["FUZZ_USERNAMES"].split(",")

    def get(self, _case: "schemathesis.Case[Any]", _context: schemathesis.AuthContext) -> str:
        while self._left:
            credentials = {"username": self._left[-1], "password": os.environ["FUZZ_PASSWORD"]}
            answer = self._http.post("/api/v1/auth/login", json=credentials)
            if answer.status_code == 200 and answer.json()["user"]["role"] == "admin":
                return str(answer.json()["access_token"])
            self._left.pop()
        raise RuntimeError("no admin is left")

    def set(self, case: "schemathesis.Case[Any]", data: Any, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
