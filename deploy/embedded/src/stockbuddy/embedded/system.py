"""The whole system in one process: four services behind the gateway, with one database and an in-process bus."""

import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.embedded.asgi_client import get
from stockbuddy.embedded.service_registry import SERVICES, migrate_all
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

JWKS_PATH = "/.well-known/jwks.json"


class System:
    """`gateway` is the ASGI app to serve while `running` is active. `public_url`: where browsers reach it,
    by default what the settings say."""

    def __init__(
        self,
        database_url: str,
        *,
        env: Literal["development", "production"],
        console_directory: Path | None = None,
        public_url: str | None = None,
    ) -> None:
        self._database_url = database_url
        settings: dict[str, Any] = {"env": env, "gateway_secret": secrets.token_urlsafe(32)}
        own: dict[str, dict[str, Any]] = {"auth": {"public_url": public_url}} if public_url else {}
        self._bus = InProcessBus(expected_services=frozenset(embedded.name for embedded in SERVICES))
        self.services: dict[str, FastAPI] = {
            embedded.name: create_app(
                embedded.service,
                embedded.settings(database_url=database_url, **settings, **own.get(embedded.name, {})),
                bus=self._bus,
                fetch_jwks=self._fetch_jwks,
            )
            for embedded in SERVICES
        }
        self.gateway = create_gateway(GatewaySettings(**settings, console_directory=console_directory), self.services)

    async def _fetch_jwks(self) -> Mapping[str, Any]:
        jwks: Mapping[str, Any] = json.loads(await get(self.services["auth"], JWKS_PATH))
        return jwks

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Migrate and start all services; stop them in reverse order."""
        await migrate_all(self._database_url)
        async with contextlib.AsyncExitStack() as stack:
            for app in self.services.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            stack.push_async_callback(self._bus.close)
            yield
