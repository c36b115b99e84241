"""A client of the public API that retries failures that may pass; idempotency keys make its writes safe to repeat."""

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
RETRY_TIMEOUT_SECONDS = 120
REQUEST_TIMEOUT_SECONDS = 60
RETRIED_STATUSES = frozenset({429, 502, 503, 504})


class ApiUnavailable(Exception):
    """The API does not respond at that address."""


class LoginFailed(Exception):
    """There is no account to call the API with."""


class _TransientFailure(Exception):
    """The request may succeed if it is repeated later."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """`body` is the parsed JSON; `replayed` if the effect is that of an earlier request with the same key."""

    status: int
    body: Any
    replayed: bool

    @property
    def accepted(self) -> bool:
        return self.status < 400

    @property
    def code(self) -> str:
        """The problem's `code` (RFC 9457 extension), or the status."""
        return str(self.body.get("code", self.status)) if isinstance(self.body, dict) else str(self.status)


class ApiClient:
    """Calls `/api/v1` at one address as one user."""

    def __init__(self, http: aiohttp.ClientSession, username: str, password: str) -> None:
        self._http = http
        self._username = username
        self._password = password
        self._token = ""

    async def log_in(self) -> None:
        """Raises LoginFailed if the credentials are rejected."""
        credentials = {"username": self._username, "password": self._password}
        response = await self._request("POST", "/auth/login", credentials, {})
        if not response.accepted:
            raise LoginFailed(f"login as {self._username} failed: {response.code}")
        self._token = response.body["access_token"]

    async def get(self, path: str, **query: Any) -> ApiResponse:
        return await self._request_authorized("GET", path, None, {}, query)

    async def post(self, path: str, body: Mapping[str, Any], *, key: str) -> ApiResponse:
        """`key`: the idempotency key, which makes the request safe to repeat, also by a later run."""
        return await self._request_authorized("POST", path, body, {"Idempotency-Key": key}, {})

    async def _request_authorized(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> ApiResponse:
        """Log in again if the access token has expired."""
        response = await self._request(method, path, body, self._authorized(headers), query)
        if response.status == 401:
            await self.log_in()
            response = await self._request(method, path, body, self._authorized(headers), query)
        return response

    def _authorized(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return {**headers, "Authorization": f"Bearer {self._token}"}

    async def _request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> ApiResponse:
        """Raises ApiUnavailable after RETRY_TIMEOUT_SECONDS of transient failures."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((_TransientFailure, aiohttp.ClientConnectionError, TimeoutError)),
                wait=wait_random_exponential(multiplier=0.2, max=5),
                stop=stop_after_delay(RETRY_TIMEOUT_SECONDS),
                reraise=True,
            ):
                with attempt:
                    return await self._request_once(method, path, body, headers, query)
        except (_TransientFailure, aiohttp.ClientError, TimeoutError) as error:
            raise ApiUnavailable(f"{method} {path}: {error!r}") from error
        raise AssertionError("unreachable")

    async def _request_once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None
    ) -> ApiResponse:
        async with self._http.request(
            method, f"/api/v1{path}", json=body, headers=headers, params=query or None
        ) as response:
            if response.status in RETRIED_STATUSES:
                raise _TransientFailure(f"{response.status} {await response.text()}")
            content = await response.json(content_type=None) if response.status != 204 else None
            return ApiResponse(response.status, content, "Idempotent-Replayed" in response.headers)


@asynccontextmanager
async def connect(connections: int) -> AsyncIterator[ApiClient]:
    """A client of the system at STOCKBUDDY_URL, logged in as STOCKBUDDY_USERNAME or, if the system has no admin yet, as
    a new admin whose credentials are printed. Raises ApiUnavailable and LoginFailed, which explain what to do."""
    url = os.environ.get("STOCKBUDDY_URL", DEFAULT_URL)
    async with aiohttp.ClientSession(
        base_url=url,
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
    ) as http:
        await _require_available(http, url)
        username, password = await _find_or_register_account(http)
        client = ApiClient(http, username, password)
        await client.log_in()
        yield client


async def _require_available(http: aiohttp.ClientSession, url: str) -> None:
    try:
        async with http.get("/health/live") as response:
            response.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ApiUnavailable(
            f"The API does not respond at {url}. Start the system with `make run`, or set STOCKBUDDY_URL."
        ) from error


async def _find_or_register_account(http: aiohttp.ClientSession) -> tuple[str, str]:
    username, password = os.environ.get("STOCKBUDDY_USERNAME"), os.environ.get("STOCKBUDDY_PASSWORD")
    if username and password:
        return username, password
    username, password = "admin", secrets.token_urlsafe(12)
    account = {"username": username, "email": "admin@example.com", "password": password, "full_name": "First admin"}
    async with http.post("/api/v1/auth/admin/register", json=account) as response:
        if response.status != 201:
            raise LoginFailed(
                "The system has an admin: set STOCKBUDDY_USERNAME and STOCKBUDDY_PASSWORD to those of an account."
            )
    print(
        "Registered the first admin. The password is shown only once:\n"
        f"  export STOCKBUDDY_USERNAME={username} STOCKBUDDY_PASSWORD={password}",
        file=sys.stderr,
    )
    return username, password
