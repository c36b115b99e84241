"""The whole system in one process: four services behind the gateway, on one database and an in-process bus."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from fastapi import FastAPI

from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.http.app import create_app
from stockbuddy.embedded.asgi import get
from stockbuddy.embedded.deployables import SERVICES, migrate_all
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

JWKS_PATH = "/.well-known/jwks.json"


class System:
    """`gateway` is the ASGI app to serve; it and the services run while `running` does."""

    def __init__(self, database_url: str, *, env: Literal["development", "production"]) -> None:
        self._database_url = database_url
        self._bus = InProcessBus(expected_services=frozenset(deployable.service.name for deployable in SERVICES))
        self.services: dict[str, FastAPI] = {
            deployable.service.name: create_app(
                deployable.service,
                deployable.settings(database_url=database_url, env=env),
                bus=self._bus,
                fetch_jwks=self._fetch_jwks,
            )
            for deployable in SERVICES
        }
        self.gateway = create_gateway(GatewaySettings(env=env), self.services)

    async def _fetch_jwks(self) -> Mapping[str, Any]:
        keys: Mapping[str, Any] = json.loads(await get(self.services["auth"], JWKS_PATH))
        return keys

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Migrate, then start all services; at the end stop them in the other order."""
        await migrate_all(self._database_url)
        async with contextlib.AsyncExitStack() as stack:
            for app in self.services.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            stack.push_async_callback(self._bus.close)
            yield
