"""The whole system behind one port: four services behind the gateway, with one database and an in-process bus.

This process does the background work as well, unless another one does.
"""

import contextlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.service_runtime import BackgroundProcess
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.runtime import metrics_of_processes
from stockbuddy.chassis.runtime.failures import DependencyUnavailable, Failure
from stockbuddy.chassis.runtime.signals import Signals
from stockbuddy.embedded import background
from stockbuddy.embedded.asgi_client import get
from stockbuddy.embedded.process_link import ProcessLink
from stockbuddy.embedded.service_registry import SERVICES, Env, migrate_all
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings

JWKS_PATH = "/.well-known/jwks.json"
START_TIMEOUT_SECONDS = 60


class System:
    """`gateway` is the ASGI app to serve while `running` is active. `public_url`: where browsers reach it,
    by default what the settings say. `background`: the connection to the process that does the background work."""

    def __init__(
        self,
        database_url: str,
        *,
        env: Env,
        console_directory: Path | None = None,
        public_url: str | None = None,
        background: socket.socket | None = None,
    ) -> None:
        self._database_url = database_url
        settings: dict[str, Any] = {"env": env, "gateway_secret": secrets.token_urlsafe(32)}
        signals = {embedded.name: Signals() for embedded in SERVICES}
        self.link = ProcessLink(background, signals, answers={}) if background else None
        """To the background process."""
        self._bus = InProcessBus(expected_services=frozenset(embedded.name for embedded in SERVICES))
        self.services: dict[str, FastAPI] = {
            embedded.name: create_app(
                embedded.service,
                embedded.load_settings(database_url, **settings, public_url=public_url),
                bus=self._bus,
                fetch_jwks=self._fetch_jwks,
                background=self._background(embedded.name, signals[embedded.name]),
            )
            for embedded in SERVICES
        }
        self.gateway = create_gateway(GatewaySettings(**settings, console_directory=console_directory), self.services)

    def _background(self, service: str, signals: Signals) -> BackgroundProcess | None:
        return BackgroundProcess(signals, partial(_fetch_outages, self.link, service)) if self.link else None

    async def _fetch_jwks(self) -> Mapping[str, Any]:
        jwks: Mapping[str, Any] = json.loads(await get(self.services["auth"], JWKS_PATH))
        return jwks

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Migrate and start all services; stop them in reverse order."""
        await migrate_all(self._database_url)
        async with contextlib.AsyncExitStack() as stack:
            if self.link is not None:
                await stack.enter_async_context(self.link.opened())
                await self.link.ask(background.START, timeout_seconds=START_TIMEOUT_SECONDS)
                metrics_of_processes.add_process(partial(self.link.ask, background.METRICS))
            for app in self.services.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            stack.push_async_callback(self._bus.close)
            yield


async def _fetch_outages(link: ProcessLink, service: str) -> Sequence[Failure]:
    outages: Mapping[str, Sequence[Mapping[str, str]]] = await link.ask(background.OUTAGES)
    if service not in outages:
        raise DependencyUnavailable("the background work has not started", dependency="background")
    return [Failure(**outage) for outage in outages[service]]
