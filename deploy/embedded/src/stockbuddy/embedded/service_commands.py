"""`python -m stockbuddy.embedded.service_commands COMMAND …`: the commands of the services, on the database of this
installation: that of `DATABASE_URL`, or the private PostgreSQL, which only one process can use."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from uuid import UUID

from stockbuddy.chassis.runtime import common_names
from stockbuddy.chassis.runtime.settings import InvalidSettings, load_settings
from stockbuddy.embedded.database import open_database
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.embedded.exit_codes import FAILED, INVALID_SETTINGS
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.embedded.settings import EMBEDDED_VALUES, EmbeddedSettings, load_embedded_settings
from stockbuddy.local_servers.postgres import LocalPostgresError

NAMES = [embedded.name for embedded in SERVICES]
OWNERS = {"setup-token": "auth", "rotate-keys": "auth", "events": "notifications", "consumers": "notifications"}
"""The service of each command that only one service has."""


def main(arguments: Sequence[str]) -> int:
    """Exits with code 2 and its usage if the arguments are wrong."""
    calls = calls_of(arguments)
    try:
        if arguments[0] != "rotate-keys":  # encrypts the new key: never with the secret of another environment
            _choose_environment()
        settings = load_embedded_settings(with_processes=False)
        with open_database(settings) as url:
            codes = (run(call, environment_of(settings, url)) for call in calls)
            return next((code for code in codes if code), 0)
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return INVALID_SETTINGS
    except StartFailed as error:
        print(error, file=sys.stderr)
        return FAILED
    except LocalPostgresError as error:
        print(f"{error}; stop the system before this command.", file=sys.stderr)
        return FAILED


def calls_of(arguments: Sequence[str]) -> list[list[str]]:
    """For each service concerned, its name and the arguments of its command line."""
    _parser().parse_args(arguments)
    command, *options = arguments
    if command == "migrate":
        return [[name, command] for name in NAMES]
    if command == "dead-letters":
        return [[options[0], command, *options[1:]]]
    return [[OWNERS[command], command, *options]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stockbuddy", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("migrate", description="Create or upgrade the tables of all services.")
    commands.add_parser("setup-token", description="Print a new token for registering the first admin.")
    commands.add_parser("rotate-keys", description="Publish a new key that signs access tokens.")
    letters = commands.add_parser("dead-letters", description="The messages that a service could not handle.")
    letters.add_argument("service", choices=NAMES)
    actions = letters.add_subparsers(required=True)
    actions.add_parser("list", help="print them, one JSON line for each")
    retry = actions.add_parser("retry", help="handle all of them again, or those of the named events")
    retry.add_argument("event_ids", nargs="*", type=UUID, metavar="EVENT_ID")
    events = commands.add_parser("events", description="The log of events.").add_subparsers(required=True)
    events.add_parser("new-epoch", help="begin a new epoch after a restore that the system cannot recognise")
    consumers = commands.add_parser("consumers", description="Consumers of events.").add_subparsers(required=True)
    add = consumers.add_parser("add", help="create a queue and a broker account")
    add.add_argument("name")
    add.add_argument("patterns", nargs="+", metavar="pattern", help="types of events, such as stock.*")
    return parser


def _choose_environment() -> None:
    """On the private PostgreSQL the default is that of `stockbuddy serve`; another database may be in production."""
    if load_settings(EmbeddedSettings).database_url is None:
        os.environ.setdefault("ENV", "development")


def environment_of(settings: EmbeddedSettings, url: str) -> dict[str, str]:
    """The settings of a service. Common names are interpreted here. No gateway is called, so any secret will do."""
    secret = {"GATEWAY_SECRET": EMBEDDED_VALUES["gateway_secret"]}
    names = dict.fromkeys(common_names.NAMES, "")
    if settings.selected != (None,):
        names["PUBLIC_URL"] = settings.console_url or ""
    return {**secret, **os.environ, **names, "DATABASE_URL": url, "BUS_URL": settings.bus_url or ""}


def run(call: Sequence[str], environment: dict[str, str]) -> int:
    service, *arguments = call
    command = [sys.executable, "-m", f"stockbuddy.{service}", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
