"""Serves the whole system on one port until SIGINT or SIGTERM, with its background work in a second process."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping

from starlette.types import ASGIApp

from stockbuddy.chassis.runtime.companies import company_context, for_company
from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.embedded.background import BackgroundChild
from stockbuddy.embedded.background_link import BackgroundLink
from stockbuddy.embedded.backup.schedule import backups_of_companies
from stockbuddy.embedded.banner import print_banners
from stockbuddy.embedded.console_build import CONSOLE_DIRECTORY
from stockbuddy.embedded.exit_codes import FAILED
from stockbuddy.embedded.service_registry import migrate_all
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.signals import cancel_on_stop_signal, on_stop_signal
from stockbuddy.embedded.system import System
from stockbuddy.gateway.companies import join_gateways
from stockbuddy.gateway.server import server_config

SHUTDOWN_GRACE_SECONDS = 10
POLL_INTERVAL_SECONDS = 0.02


class EmbeddedServer(DrainingServer):
    """Stopped by `request_stop`: uvicorn raises a signal that it has handled again, which would end the process before
    the services have stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def request_stop(self) -> None:
        self.should_exit = True


async def run(settings: EmbeddedSettings, database_url: str, background: BackgroundChild | None) -> int:
    """Returns the exit code: 1 if the server did not start or the background process has ended by itself. Without a
    `background`, this process does everything."""
    cancel_on_stop_signal()
    if background is None:
        return await _serve(settings, database_url, None)
    try:
        served = await _serve(settings, database_url, background.end)
    finally:
        background.end.close()
        ended = await background.stopped()
    if ended != 0:
        print(f"The background process has ended with code {ended}: its output is above.", file=sys.stderr)
    return served or (FAILED if ended else 0)


async def _serve(settings: EmbeddedSettings, database_url: str, end: socket.socket | None) -> int:
    """`end`: of the connection to the background process."""
    print("Creating or upgrading the tables, starting the services …", file=sys.stderr, flush=True)
    link = BackgroundLink(end, settings.selected) if end is not None else None
    systems = {company: _create_system(settings, database_url, company, link) for company in settings.selected}
    async with _running(systems, database_url, link), backups_of_companies(database_url):
        gateway_settings = next(iter(systems.values())).gateway_settings.model_copy(
            update={"host": settings.host, "port": settings.port, "shutdown_seconds": SHUTDOWN_GRACE_SECONDS}
        )
        server = EmbeddedServer(server_config(_gateway(systems), gateway_settings))
        on_stop_signal(server.request_stop)
        prepare_to_serve()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_print_banner_when_started(settings, server, database_url))]
            if link is not None:
                tasks.append(group.create_task(_stop_after(link, server)))
            await server.serve()
            for task in tasks:
                task.cancel()
    return 0 if server.started else FAILED


def _create_system(
    settings: EmbeddedSettings, database_url: str, company: str | None, link: BackgroundLink | None
) -> System:
    return System(
        for_company(database_url, company),
        env=settings.env,
        console_directory=CONSOLE_DIRECTORY,
        public_url=for_company(settings.console_url, company) if settings.console_url else None,
        background=link,
        company=company,
    )


def _gateway(systems: Mapping[str | None, System]) -> ASGIApp:
    """The gateway of the only company, or those of all."""
    if None in systems:
        return systems[None].gateway
    return join_gateways([(system.gateway_settings, system.gateway) for system in systems.values()])


@contextlib.asynccontextmanager
async def _running(
    systems: Mapping[str | None, System], database_url: str, link: BackgroundLink | None
) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for company in systems:
            await migrate_all(for_company(database_url, company))
        if link is not None:
            await stack.enter_async_context(link.started())
        for company, system in systems.items():
            with company_context(company):
                await stack.enter_async_context(system.running_services())
        yield


async def _stop_after(link: BackgroundLink, server: EmbeddedServer) -> None:
    """Without the background process nothing would be published, logged or sent."""
    await link.closed.wait()
    server.request_stop()


async def _print_banner_when_started(settings: EmbeddedSettings, server: EmbeddedServer, database_url: str) -> None:
    while not server.started:
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
    port = server.servers[0].sockets[0].getsockname()[1]  # PORT=0: chosen by the system
    await print_banners(settings, port, database_url)
