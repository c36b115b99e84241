"""Checks what the operator can have set wrong, then runs the system until SIGINT or SIGTERM."""

import argparse
import asyncio
import contextlib
import signal
import sys

import uvloop

from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.ports import CannotListen, check_ports
from stockbuddy.chassis.runtime.settings import InvalidSettings
from stockbuddy.embedded import processes, server
from stockbuddy.embedded.background import BackgroundRun, fork_background, is_wanted
from stockbuddy.embedded.console_build import console_build
from stockbuddy.embedded.database import open_database
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.embedded.exit_codes import FAILED, INTERRUPTED, INVALID_SETTINGS
from stockbuddy.embedded.leftovers import ProcessList
from stockbuddy.embedded.settings import EmbeddedSettings, load_embedded_settings
from stockbuddy.local_servers.postgres_programs import LocalPostgresError


def main() -> int:
    parser = argparse.ArgumentParser(prog="stockbuddy serve", description=__doc__)
    parser.add_argument("--processes", action="store_true", help="one process per service, with RabbitMQ at BUS_URL")
    parser.add_argument("--console", action="store_true", help="build the web console, if it is not built")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = load_embedded_settings(with_processes=arguments.processes)
        for line in settings.describe_common_names():
            print(line, file=sys.stderr)
        configure_logging(level=settings.log_level, output="console" if settings.env == "development" else "json")
        with console_build() if arguments.console else contextlib.nullcontext():
            return _run_processes(settings) if arguments.processes else _run_embedded(settings)
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return INVALID_SETTINGS
    except (StartFailed, CannotListen, LocalPostgresError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except asyncio.CancelledError:
        print("Interrupted before the system was ready.", file=sys.stderr)
        return INTERRUPTED


def _run_embedded(settings: EmbeddedSettings) -> int:
    check_ports(settings.host, settings.port)
    with open_database(settings) as url:
        run = BackgroundRun(url, settings.env, settings.console_url, settings.selected)
        background = fork_background(run) if is_wanted(settings.background_process) else None
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(server.run(settings, url, background))


def _run_processes(settings: EmbeddedSettings) -> int:
    with ProcessList.opened(settings.data, settings.port) as started:
        check_ports(settings.host, settings.port)
        check_ports(processes.SERVICE_HOST, *processes.service_ports(settings).values())
        with open_database(settings) as url:
            return asyncio.run(processes.run(settings, url, started))
