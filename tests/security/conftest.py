"""One running system for all attacks: the services behind the gateway, at the server that deployments use."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
import uvicorn

from stockbuddy.chassis.testing.clients import User, register, until_ready
from stockbuddy.chassis.testing.identity_provider import Provider, running_provider
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.embedded.system import System
from stockbuddy.gateway.server import server_config
from stockbuddy.gateway.settings import GatewaySettings

START_TIMEOUT_SECONDS = 180


@pytest.fixture(scope="session")
def migrations() -> Sequence[Migrate]:
    return [ServiceMigrations(embedded.name, embedded.migrations) for embedded in SERVICES]


@pytest.fixture(scope="session")
async def security_database_url(databases: TemplateDatabases, migrations: Sequence[Migrate]) -> AsyncIterator[str]:
    async with databases.clone(migrations) as url:
        yield url


@pytest.fixture(scope="session")
def identity_provider() -> Iterator[Provider]:
    """Where users of `system` sign in."""
    with running_provider("http://localhost:8000/api/v1/auth/oidc/corp/callback") as running:
        yield running


@pytest.fixture(scope="session")
async def system(security_database_url: str, identity_provider: Provider) -> AsyncIterator[System]:
    """Many users register and log in from one address, so its limits are off; gateway/tests test them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("ADDRESS", "LOGIN_ADDRESS", "REGISTRATION"):
            environment.setenv(f"RATE_LIMIT_{name}", "off")
        provider = {"name": "corp", "title": "Corp", "issuer": identity_provider.url}
        client = {"client_id": "stockbuddy", "client_secret": "a-secret-of-the-provider"}
        environment.setenv("OIDC_PROVIDERS", json.dumps([provider | client]))
        system = System(security_database_url, env="development")
    async with system.running():
        yield system


@pytest.fixture(scope="session")
async def base_url(system: System) -> AsyncIterator[str]:
    server = uvicorn.Server(server_config(system.gateway, GatewaySettings(env="development", port=0)))
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, server, "should_exit", True)
        task = asyncio.create_task(server.serve())
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while not server.started:
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    await task


@pytest.fixture(scope="session")
def gateway_port(base_url: str) -> int:
    return urlsplit(base_url).port or 0


@pytest.fixture(scope="session")
async def http(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, timeout=180) as client:
        await until_ready(client)
        yield client


@pytest.fixture(scope="session")
async def admin(http: httpx.AsyncClient) -> User:
    """The first user of the system."""
    return await register(http, "ada", path="/auth/admin/register")
