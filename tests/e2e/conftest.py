"""The whole system behind its gateway, served on a socket."""

from collections.abc import AsyncIterator, Sequence

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.apps import Browser
from stockbuddy.chassis.testing.clients import User, register, serving, until_ready
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.embedded.system import System


@pytest.fixture(scope="session")
def migrations() -> Sequence[Migrate]:
    return [ServiceMigrations(embedded.name, embedded.migrations) for embedded in SERVICES]


@pytest.fixture
async def system(database_url: str) -> AsyncIterator[System]:
    system = System(database_url, env="development")
    async with system.running():
        yield system


@pytest.fixture
async def base_url(system: System) -> AsyncIterator[str]:
    async with serving(system.gateway) as url:
        yield url


@pytest.fixture
async def http(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, timeout=180) as client:
        await until_ready(client)
        yield client


@pytest.fixture
async def browser(base_url: str) -> AsyncIterator[Browser]:
    """A browser without scripts, for the pages of the authorization server."""
    async with httpx.AsyncClient(base_url=base_url, timeout=180) as client:
        yield Browser(client)


@pytest.fixture
async def admin(http: httpx.AsyncClient) -> User:
    return await register(http, "ada", path="/auth/admin/register")


@pytest.fixture
async def salesperson(http: httpx.AsyncClient, admin: User) -> User:
    """Depends on `admin`, because the first registered user must be the admin."""
    return await register(http, "sam")
