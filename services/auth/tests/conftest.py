"""A running auth with its own database, called as the gateway calls it."""

import asyncio
import email
import itertools
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import asyncpg
import httpx2 as httpx
import jwt
import pytest
from asgi_lifespan import LifespanManager
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from pydantic import SecretStr

from stockbuddy.auth.app import MIGRATIONS, SERVICE, AuthSettings
from stockbuddy.auth.crypto import SecretBox
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.internal_calls import InternalCallSigner
from stockbuddy.chassis.http.tokens import TOKEN_TYPE
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import Chunk
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations

PASSWORD = "violet-Harbour-71"
FIRST_BACKOFF_SECONDS = 60
"""Longer than a busy machine takes for a few requests."""
SECRET_KEY = "a-key-of-an-operator-who-reads-manuals"
GATEWAY_SECRET = SecretStr("a-secret-that-auth-shares-with-the-gateway")


@pytest.fixture(scope="session")
def migrations() -> list[Migrate]:
    return [ServiceMigrations("auth", MIGRATIONS)]


class RecordingBus(InProcessBus):
    """The in-process bus, which also records the published messages."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Message] = []

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        self.published += [message for chunk in chunks for message in chunk.messages()]
        await super().publish(chunks)


@dataclass
class Auth:
    """One replica of the service, and a client that calls it as the gateway does."""

    app: FastAPI
    client: httpx.AsyncClient
    bus: RecordingBus
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def post(self, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> httpx.Response:
        return await self.call("POST", path, token=token, json=body, **more)

    async def get(self, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        return await self.call("GET", path, token=token, **more)

    async def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        if path.startswith("/internal"):
            headers.setdefault("Authorization", InternalCallSigner(GATEWAY_SECRET, "gateway").authorization())
        path = path if path.startswith(("/internal", "/.well-known", "/health")) else f"/api/v1{path}"
        return await self.client.request(method, path, headers=headers, **more)

    async def register(self, **fields: Any) -> dict[str, Any]:
        number = next(self._numbers)
        body = {"username": f"user{number}", "email": f"user{number}@example.com", "password": PASSWORD, **fields}
        response = await self.post("/auth/register", body)
        assert response.status_code == 201, response.text
        user: dict[str, Any] = response.json()
        return user

    async def register_admin(self, username: str = "boss", **more: Any) -> dict[str, Any]:
        body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
        response = await self.post("/auth/admin/register", body, **more)
        assert response.status_code == 201, response.text
        user: dict[str, Any] = response.json()
        return user

    async def log_in(self, username: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
        response = await self.post("/auth/login", {"username": username, "password": password}, **more)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    async def admin_token(self) -> str:
        await self.register_admin()
        token: str = (await self.log_in("boss"))["access_token"]
        return token

    def claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        return claims

    async def signed(self, claims: dict[str, Any], *, token_type: str | None = TOKEN_TYPE) -> str:
        """A token with these claims, signed with the service's own key."""
        connection = await asyncpg.connect(self.app.state.resources.settings.database_url)
        try:
            row = await connection.fetchrow("SELECT kid, encrypted_private_key FROM auth.signing_key")
        finally:
            await connection.close()
        key = Ed25519PrivateKey.from_private_bytes(
            SecretBox(SecretStr(SECRET_KEY)).decrypt(row["encrypted_private_key"])
        )
        return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": row["kid"], "typ": token_type})

    async def events(self, event_type: str, *, at_least: int = 1) -> list[dict[str, Any]]:
        """The published events of that type; waits until there are `at_least` so many."""
        deadline = time.monotonic() + 60
        while True:
            events = [json.loads(message.body) for message in self.bus.published if message.type == event_type]
            if len(events) >= at_least:
                return events
            assert time.monotonic() < deadline, f"{len(events)} of {at_least} {event_type} were published"
            await asyncio.sleep(0.02)

    async def event_of_database(self, event_type: str) -> dict[str, Any]:
        """The one event of that type that any process has published from this database."""
        connection = await asyncpg.connect(self.app.state.resources.settings.database_url)
        try:
            query = "SELECT payload FROM auth.outbox_event WHERE sent_at IS NOT NULL AND routing_key = $1"
            deadline = time.monotonic() + 60
            while not (rows := await connection.fetch(query, event_type)):
                assert time.monotonic() < deadline, f"no {event_type} was published"
                await asyncio.sleep(0.02)
        finally:
            await connection.close()
        (row,) = rows
        event: dict[str, Any] = json.loads(row["payload"])
        return event

    async def event(self, event_type: str) -> dict[str, Any]:
        (event,) = await self.events(event_type)
        return event

    async def email(self, subject: str) -> EmailMessage:
        """The e-mail with `subject` in its subject; waits for its file and removes it."""
        async with asyncio.timeout(60):
            while True:
                for path in self.app.state.resources.settings.mail_outbox.glob("*.eml"):
                    message = email.message_from_bytes(path.read_bytes(), policy=default)
                    if subject in str(message["Subject"]):
                        path.unlink()
                        return message
                await asyncio.sleep(0.05)

    def token_in(self, message: EmailMessage) -> str:
        found = re.search(r"^([\w-]{43})\r?$", message.get_content(), re.MULTILINE)
        assert found, message.get_content()
        return found[1]

    async def member(self) -> dict[str, Any]:
        """The tokens of a new salesperson."""
        return await self.log_in((await self.register())["username"])


@asynccontextmanager
async def running_auth(database_url: str, mail_outbox: Path, **settings: Any) -> AsyncIterator[Auth]:
    values = {
        "env": "development",
        "secret_key": SECRET_KEY,
        "gateway_secret": GATEWAY_SECRET,
        "database_url": database_url,
        "mail_outbox": mail_outbox,
        "signing_key_reload_interval_seconds": 0.5,
        "login_backoff_seconds": FIRST_BACKOFF_SECONDS,
        **settings,
    }
    bus = RecordingBus()
    app = create_app(SERVICE, AuthSettings(**values), bus=bus)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://auth") as client:
            yield Auth(app, client, bus)


@pytest.fixture
async def auth(database_url: str, tmp_path: Path) -> AsyncIterator[Auth]:
    async with running_auth(database_url, tmp_path / "outbox") as running:
        yield running


@pytest.fixture
def another_auth(database_url: str, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Auth]]:
    """Starts another replica, or the service again: on the same database, with the given settings."""

    def start(**settings: Any) -> AbstractAsyncContextManager[Auth]:
        return running_auth(database_url, tmp_path / "outbox", **settings)

    return start


@pytest.fixture
def auth_command(database_url: str) -> Callable[..., Awaitable[str]]:
    """Runs `python -m stockbuddy.auth …` as an operator does; returns its output. It must succeed."""

    async def call(*arguments: str, **environment: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stockbuddy.auth",
            *arguments,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "SECRET_KEY": SECRET_KEY,
                "GATEWAY_SECRET": GATEWAY_SECRET.get_secret_value(),
                **environment,
            },
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return printed.decode()

    return call
