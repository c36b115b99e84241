"""A client of the public API that retries failures that may pass; idempotency keys make its writes safe to repeat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
    wait_random_exponential,
)

RETRY_TIMEOUT_SECONDS = 120
REQUEST_TIMEOUT_SECONDS = 60
REPLICATION_TIMEOUT_SECONDS = 120
REPLICATION_RETRY_SECONDS = 0.5
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
NOT_REPLICATED = frozenset({"unknown_product", "unknown_supplier"})


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

    async def post_replicated(self, path: str, body: Mapping[str, Any], *, key: str) -> ApiResponse:
        """`post` that is repeated until stock has replicated the catalog's products and suppliers."""
        retrying = AsyncRetrying(
            retry=retry_if_result(lambda response: response.code in NOT_REPLICATED),
            wait=wait_fixed(REPLICATION_RETRY_SECONDS),
            stop=stop_after_delay(REPLICATION_TIMEOUT_SECONDS),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        response: ApiResponse = await retrying(self.post, path, body, key=key)
        return response

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
