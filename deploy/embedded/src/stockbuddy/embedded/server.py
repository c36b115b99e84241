"""Serves the whole system on one port until SIGINT or SIGTERM, with its background work in a second process."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

from stockbuddy.chassis.runtime.process import prepare_to_serve
from stockbuddy.chassis.runtime.settings import load_settings
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.embedded.background import BackgroundChild
from stockbuddy.embedded.backup.schedule import daily_backups
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.banner import print_banner
from stockbuddy.embedded.console_build import CONSOLE_DIRECTORY
from stockbuddy.embedded.exit_codes import FAILED
from stockbuddy.embedded.ports import url_of
from stockbuddy.embedded.process_link import ProcessLink
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.embedded.signals import cancel_on_stop_signal, on_stop_signal
from stockbuddy.embedded.system import System
from stockbuddy.gateway.server import server_config
from stockbuddy.gateway.settings import GatewaySettings

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


async def _serve(settings: EmbeddedSettings, database_url: str, background: socket.socket | None) -> int:
    print("Creating or upgrading the tables, starting the services …", file=sys.stderr, flush=True)
    system = System(
        database_url,
        env=settings.env,
        console_directory=CONSOLE_DIRECTORY,
        public_url=settings.console_url,
        background=background,
    )
    async with system.running(), daily_backups(load_settings(BackupSettings), database_url):
        gateway_settings = GatewaySettings(
            env=settings.env, host=settings.host, port=settings.port, shutdown_seconds=SHUTDOWN_GRACE_SECONDS
        )
        server = EmbeddedServer(server_config(system.gateway, gateway_settings))
        on_stop_signal(server.request_stop)
        prepare_to_serve()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_print_banner_when_started(settings, server, database_url))]
            if system.link is not None:
                tasks.append(group.create_task(_stop_after(system.link, server)))
            await server.serve()
            for task in tasks:
                task.cancel()
    return 0 if server.started else FAILED


async def _stop_after(link: ProcessLink, server: EmbeddedServer) -> None:
    """Without the background process nothing would be published, logged or sent."""
    await link.closed.wait()
    server.request_stop()


async def _print_banner_when_started(settings: EmbeddedSettings, server: EmbeddedServer, database_url: str) -> None:
    while not server.started:
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
    port = server.servers[0].sockets[0].getsockname()[1]  # PORT=0: chosen by the system
    await print_banner(url_of(settings.host, port), database_url)
