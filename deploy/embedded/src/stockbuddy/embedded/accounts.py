"""The account of a client program: from the environment, from the file of an earlier run, or the new first admin."""

import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

from stockbuddy.embedded.api_client import REQUEST_TIMEOUT_SECONDS, ApiClient, ApiUnavailable, LoginFailed

DEFAULT_URL = "http://127.0.0.1:8000"
EMAIL = "owner@example.com"
FILE_NAME = "credentials.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """`username`: a username or an e-mail address."""

    username: str
    password: str


class CredentialsFile:
    """The credentials by the system's URL, in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, url: str) -> Credentials | None:
        try:
            stored = json.loads(self.path.read_text())
            return Credentials(**stored[url])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, url: str, credentials: Credentials) -> None:
        try:
            stored = json.loads(self.path.read_text())
        except (OSError, ValueError):
            stored = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600), "w") as file:
            json.dump(stored | {url: asdict(credentials)}, file)
        new.replace(self.path)


@asynccontextmanager
async def connect(connections: int) -> AsyncIterator[ApiClient]:
    """A client of the system at STOCKBUDDY_URL, logged in as STOCKBUDDY_USERNAME, with the credentials that an earlier
    run kept in the data directory, or as a new first admin. Raises ApiUnavailable and LoginFailed, which explain what
    to do."""
    url = os.environ.get("STOCKBUDDY_URL", DEFAULT_URL).rstrip("/")
    file = CredentialsFile(Path(os.environ.get("STOCKBUDDY_DATA", ".stockbuddy")) / FILE_NAME)
    async with aiohttp.ClientSession(
        base_url=url,
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
    ) as http:
        await _require_available(http, url)
        yield await _log_in(http, url, file)


async def _require_available(http: aiohttp.ClientSession, url: str) -> None:
    try:
        async with http.get("/health/live") as response:
            response.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ApiUnavailable(
            f"The API does not respond at {url} ({error}). Start the system with `make run` or `stockbuddy serve`, or "
            "set STOCKBUDDY_URL."
        ) from error


async def _log_in(http: aiohttp.ClientSession, url: str, file: CredentialsFile) -> ApiClient:
    username, password = os.environ.get("STOCKBUDDY_USERNAME"), os.environ.get("STOCKBUDDY_PASSWORD")
    if username and password:
        return await _log_in_as(http, Credentials(username, password))
    if stored := file.find(url):
        try:
            client = await _log_in_as(http, stored)
        except LoginFailed:
            print(f"The credentials in {file.path} are out of date.", file=sys.stderr)
        else:
            print(f"Logged in as {stored.username}, with the password in {file.path}.", file=sys.stderr)
            return client
    registered = await _register_first_admin(http)
    file.store(url, registered)
    print(f"Registered the first admin, {registered.username}; the password is in {file.path}.", file=sys.stderr)
    return await _log_in_as(http, registered)


async def _log_in_as(http: aiohttp.ClientSession, credentials: Credentials) -> ApiClient:
    client = ApiClient(http, credentials.username, credentials.password)
    await client.log_in()
    return client


async def _register_first_admin(http: aiohttp.ClientSession) -> Credentials:
    password = secrets.token_urlsafe(12)
    account = {"email": EMAIL, "password": password, "full_name": "First admin"}
    async with http.post("/api/v1/auth/admin/register", json=account) as response:
        answer = await response.json(content_type=None)
    if response.status != 201:
        reason = "The system has an admin" if response.status == 401 else answer.get("detail", response.status)
        raise LoginFailed(f"{reason}: set STOCKBUDDY_USERNAME and STOCKBUDDY_PASSWORD to those of an account.")
    return Credentials(answer["username"], password)
