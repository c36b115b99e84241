"""The whole system behind its gateway, and a proxy in front of it, for the tests of both clients."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pyotp
import pytest

from stockbuddy.chassis.testing.clients import User, register, serving, until_ready
from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.embedded.system import System

CLIENTS = Path(__file__).parents[1]
NO_RATE_LIMITS = dict.fromkeys(
    ["RATE_LIMIT_ADDRESS", "RATE_LIMIT_LOGIN", "RATE_LIMIT_LOGIN_ADDRESS", "RATE_LIMIT_REGISTRATION"], "off"
)


@pytest.fixture(scope="session")
def migrations() -> Sequence[Migrate]:
    return [ServiceMigrations(embedded.name, embedded.migrations) for embedded in SERVICES]


@pytest.fixture(scope="session")
async def gateway_url(databases: TemplateDatabases, migrations: Sequence[Migrate]) -> AsyncIterator[str]:
    """One system for all tests: each uses names of its own."""
    async with databases.clone(migrations) as database_url:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in NO_RATE_LIMITS.items():
                environment.setenv(name, value)
            system = System(database_url, env="development")
        async with system.running(), serving(system.gateway) as url:
            yield url


@pytest.fixture(scope="session")
async def direct(gateway_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the gateway without a client library."""
    async with httpx.AsyncClient(base_url=gateway_url, timeout=30) as client:
        await until_ready(client)
        yield client


@pytest.fixture(scope="session")
async def admin(direct: httpx.AsyncClient) -> User:
    return await register(direct, "ada", path="/auth/admin/register")


@dataclass(frozen=True)
class GuardedUser:
    """A user with a second factor. `recovery_codes`: each completes one login."""

    username: str
    recovery_codes: list[str]


@pytest.fixture(scope="session")
async def guarded_user(admin: User) -> GuardedUser:
    user = await register(admin.http, "grace")
    setup = await user.post("/auth/factors")
    confirmation = {"code": pyotp.TOTP(setup["secret"]).now()}
    factor = await user.post(f"/auth/factors/{setup['id']}/confirm", confirmation)
    return GuardedUser("grace", factor["recovery_codes"])


@pytest.fixture(scope="session")
async def shop(admin: User) -> dict[str, str]:
    """A product with plenty of stock, ten suppliers, a user, and an admin's API key."""
    product = await admin.post("/products", {"name": "Mug", "sku": "MUG", "unit_price": "4.50", "quantity": 100_000})
    await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=product["id"])
    for number in range(10):
        await admin.post("/suppliers", {"name": f"listed {number}"})
    key = await admin.post("/auth/api-keys", {"name": "till"})
    await register(admin.http, "sam")
    return {"sku": "MUG", "listed": "listed", "key": key["key"], "key_id": str(key["id"]), "username": "sam"}
