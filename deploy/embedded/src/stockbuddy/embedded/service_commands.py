"""`python -m stockbuddy.embedded.service_commands COMMAND …`: the commands of the services, on the database of this
installation: that of `DATABASE_URL`, or the private PostgreSQL, which only one process can use."""

import os
import subprocess
import sys
from collections.abc import Sequence

from stockbuddy.chassis.runtime import common_names
from stockbuddy.chassis.runtime.settings import InvalidSettings
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
    calls = calls_of(arguments)
    if not calls:
        print(f"usage: stockbuddy dead-letters {'|'.join(NAMES)} list | retry [EVENT_ID…]", file=sys.stderr)
        return INVALID_SETTINGS
    try:
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
    command, *options = arguments
    if command == "migrate":
        return [[name, command, *options] for name in NAMES]
    if command == "dead-letters":
        return [[options[0], command, *options[1:]]] if options[:1] and options[0] in NAMES else []
    return [[OWNERS[command], command, *options]]


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
