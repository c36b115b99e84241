"""A client of the public API, as a patient till would be: it asks until it is answered, with idempotency keys."""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

DEFAULT_URL = "http://127.0.0.1:8000"
PATIENCE_SECONDS = 120
CALL_SECONDS = 60
RETRIED_STATUSES = frozenset({429, 502, 503, 504})


class NotAnswering(Exception):
    """Nothing answers at that address."""


class NoAccount(Exception):
    """There is no account to call with."""


class _TryAgain(Exception):
    """The call may succeed a little later."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the parsed JSON; `replayed` tells that an earlier call with the same key had the effect."""

    status: int
    body: Any
    replayed: bool

    @property
    def accepted(self) -> bool:
        return self.status < 400

    @property
    def code(self) -> str:
        """Why the call was refused, as RFC 9457's extension `code`."""
        return str(self.body.get("code", self.status)) if isinstance(self.body, dict) else str(self.status)


class Client:
    """Calls `/api/v1` at one address as one user."""

    def __init__(self, http: aiohttp.ClientSession, username: str, password: str) -> None:
        self._http = http
        self._username = username
        self._password = password
        self._token = ""

    async def log_in(self) -> None:
        """Raises NoAccount when the credentials are refused."""
        answer = await self._call("POST", "/auth/login", {"username": self._username, "password": self._password}, {})
        if not answer.accepted:
            raise NoAccount(f"login as {self._username} was refused: {answer.code}")
        self._token = answer.body["access_token"]

    async def get(self, path: str, **query: Any) -> Answer:
        return await self._authorized("GET", path, None, {}, query)

    async def post(self, path: str, body: Mapping[str, Any], *, key: str) -> Answer:
        """`key` makes the call safe to repeat, by us now and by another run later."""
        return await self._authorized("POST", path, body, {"Idempotency-Key": key}, {})

    async def _authorized(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> Answer:
        answer = await self._call(method, path, body, {**headers, "Authorization": f"Bearer {self._token}"}, query)
        if answer.status == 401:
            await self.log_in()
            answer = await self._call(method, path, body, {**headers, "Authorization": f"Bearer {self._token}"}, query)
        return answer

    async def _call(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> Answer:
        """Raises NotAnswering after PATIENCE_SECONDS of failures that might pass."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((_TryAgain, aiohttp.ClientConnectionError, TimeoutError)),
                wait=wait_random_exponential(multiplier=0.2, max=5),
                stop=stop_after_delay(PATIENCE_SECONDS),
                reraise=True,
            ):
                with attempt:
                    return await self._call_once(method, path, body, headers, query)
        except (_TryAgain, aiohttp.ClientError, TimeoutError) as error:
            raise NotAnswering(f"{method} {path}: {error!r}") from error
        raise AssertionError("unreachable")

    async def _call_once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None
    ) -> Answer:
        async with self._http.request(
            method, f"/api/v1{path}", json=body, headers=headers, params=query or None
        ) as response:
            if response.status in RETRIED_STATUSES:
                raise _TryAgain(f"{response.status} {await response.text()}")
            content = await response.json(content_type=None) if response.status != 204 else None
            return Answer(response.status, content, "Idempotent-Replayed" in response.headers)


@asynccontextmanager
async def connected(connections: int) -> AsyncIterator[Client]:
    """A client of the system at STOCKBUDDY_URL, logged in as STOCKBUDDY_USERNAME, or, where there is no admin yet,
    as one that is made and printed. Raises NotAnswering and NoAccount, with what to do about it."""
    url = os.environ.get("STOCKBUDDY_URL", DEFAULT_URL)
    async with aiohttp.ClientSession(
        base_url=url,
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
    ) as http:
        await _check_answers(http, url)
        username, password = await _account(http)
        client = Client(http, username, password)
        await client.log_in()
        yield client


async def _check_answers(http: aiohttp.ClientSession, url: str) -> None:
    try:
        async with http.get("/health/live") as response:
            response.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotAnswering(
            f"Nothing answers at {url}. Start the system with `make run`, or set STOCKBUDDY_URL."
        ) from error


async def _account(http: aiohttp.ClientSession) -> tuple[str, str]:
    username, password = os.environ.get("STOCKBUDDY_USERNAME"), os.environ.get("STOCKBUDDY_PASSWORD")
    if username and password:
        return username, password
    username, password = "admin", secrets.token_urlsafe(12)
    account = {"username": username, "email": "admin@example.com", "password": password, "full_name": "First admin"}
    async with http.post("/api/v1/auth/admin/register", json=account) as response:
        if response.status != 201:
            raise NoAccount("There is an admin already: set STOCKBUDDY_USERNAME and STOCKBUDDY_PASSWORD to an account.")
    print(
        "Made the first admin. Keep this, it is shown once:\n"
        f"  export STOCKBUDDY_USERNAME={username} STOCKBUDDY_PASSWORD={password}",
        file=sys.stderr,
    )
    return username, password
