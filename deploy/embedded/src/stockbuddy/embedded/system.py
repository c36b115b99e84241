"""The whole system behind one port: four services behind the gateway, with one database and an in-process bus.

This process does the background work as well, unless another one does.
"""

import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.embedded.asgi_client import get
from stockbuddy.embedded.background_link import BackgroundLink
from stockbuddy.embedded.service_registry import SERVICES, Env, migrate_all
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

JWKS_PATH = "/.well-known/jwks.json"


class System:
    """The system of one company. `gateway` is the ASGI app to serve while `running` is active. `public_url`: where
    browsers reach it, by default what the settings say. `background`: the process that does the background work."""

    def __init__(
        self,
        database_url: str,
        *,
        env: Env,
        console_directory: Path | None = None,
        public_url: str | None = None,
        background: BackgroundLink | None = None,
        company: str | None = None,
    ) -> None:
        self._database_url = database_url
        settings: dict[str, Any] = {"env": env, "gateway_secret": secrets.token_urlsafe(32)}
        if company is not None:
            settings |= {"company": company, "public_url": public_url}
        self.gateway_settings = GatewaySettings(**settings, console_directory=console_directory)
        self._bus = InProcessBus(expected_services=frozenset(embedded.name for embedded in SERVICES))
        self.services: dict[str, FastAPI] = {
            embedded.name: create_app(
                embedded.service,
                embedded.load_settings(database_url, **{**settings, "public_url": public_url}),
                bus=self._bus,
                fetch_jwks=self._fetch_jwks,
                background=background.of(company, embedded.name) if background else None,
            )
            for embedded in SERVICES
        }
        self.gateway = create_gateway(self.gateway_settings, self.services)

    async def _fetch_jwks(self) -> Mapping[str, Any]:
        jwks: Mapping[str, Any] = json.loads(await get(self.services["auth"], JWKS_PATH))
        return jwks

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Migrate and start all services; stop them in reverse order."""
        await migrate_all(self._database_url)
        async with self.running_services():
            yield

    @contextlib.asynccontextmanager
    async def running_services(self) -> AsyncIterator[None]:
        """Start all services, whose tables are up to date; stop them in reverse order."""
        async with contextlib.AsyncExitStack() as stack:
            for app in self.services.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            stack.push_async_callback(self._bus.close)
            yield
