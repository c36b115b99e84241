"""Authentication for schemathesis (`SCHEMATHESIS_HOOKS`): one of many admins, because the generated requests log admins
out, rename and demote them; if a login fails, the next admin is used."""

import os
from typing import Any

import httpx2 as httpx
import schemathesis


@schemathesis.auth()
class AdminAccounts:
    """Logs in again after every 401."""

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=os.environ["FUZZ_URL"], timeout=30)
        self._usernames = os.environ["FUZZ_USERNAMES"].split(",")

    def get(self, _case: "schemathesis.Case[Any]", _context: schemathesis.AuthContext) -> str:
        while self._usernames:
            credentials = {"username": self._usernames[-1], "password": os.environ["FUZZ_PASSWORD"]}
            response = self._http.post("/api/v1/auth/login", json=credentials)
            if response.status_code == 200 and response.json()["user"]["role"] == "admin":
                return str(response.json()["access_token"])
            self._usernames.pop()
        raise RuntimeError("no admin account works any more")

    def set(self, case: "schemathesis.Case[Any]", data: Any, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
