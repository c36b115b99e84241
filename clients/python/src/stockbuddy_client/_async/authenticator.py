"""The credentials of a client, and the access tokens that it gets with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from stockbuddy_client._async.clock import Lock
from stockbuddy_client.credentials import ApiKey, ClientCredentials, Credentials, Session

EXPIRY_MARGIN_SECONDS = 5.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class AsyncAuthenticator:
    """`request`: sends a request; those for tokens have no credentials, so they are never repeated once sent."""

    def __init__(self, credentials: Credentials | None, request: Callable[..., Awaitable[Any]]) -> None:
        self.credentials = credentials
        self._request = request
        self._lock = Lock()
        self._token = credentials.access_token if isinstance(credentials, Session) else None
        self._expires_at = float("inf")

    def set_tokens(self, tokens: Mapping[str, Any]) -> None:
        """Use the response of a login or a refresh."""
        self._token = tokens["access_token"]
        self._expires_at = monotonic() + tokens["expires_in"] - EXPIRY_MARGIN_SECONDS
        if not isinstance(self.credentials, ClientCredentials):
            self.credentials = Session(tokens["access_token"], tokens.get("refresh_token"))

    def forget(self) -> None:
        self.credentials = self._token = None

    async def headers(self) -> dict[str, str]:
        if isinstance(self.credentials, ApiKey):
            return {"X-API-Key": self.credentials.key}
        if self._can_renew() and (self._token is None or monotonic() >= self._expires_at):
            await self._renew(self._token)
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def renew(self, rejected: Mapping[str, str]) -> bool:
        """Get another access token in place of the one that was rejected; False if that is not possible."""
        if not self._can_renew():
            return False
        await self._renew(rejected.get("Authorization", "").removeprefix("Bearer "))
        return True

    def _can_renew(self) -> bool:
        credentials = self.credentials
        return isinstance(credentials, ClientCredentials) or (
            isinstance(credentials, Session) and credentials.refresh_token is not None
        )

    async def _renew(self, old_token: str | None) -> None:
        """Single flight: callers that waited for another's renewal use its token."""
        async with self._lock:
            if self._token != old_token:
                return
            if isinstance(self.credentials, ClientCredentials):
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self.credentials.client_id,
                    "client_secret": self.credentials.client_secret,
                }
                content = urlencode(form).encode()
                tokens = await self._request("POST", "/auth/token", content=content, headers=FORM, authenticated=False)
            elif isinstance(self.credentials, Session):
                body = {"refresh_token": self.credentials.refresh_token}
                tokens = await self._request("POST", "/auth/refresh", body=body, authenticated=False)
            self.set_tokens(tokens)
