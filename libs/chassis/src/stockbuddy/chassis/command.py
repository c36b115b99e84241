"""The command line of every service: `python -m stockbuddy.<service>` serves, `… migrate` upgrades its schema."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stockbuddy.chassis.migrations import run_command
from stockbuddy.chassis.settings import ServiceSettings
from stockbuddy.chassis.web import Service, create_app, serve


def main(service: Service, settings: ServiceSettings, migrations: Path, arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["migrate"]:
        run_command(settings.database_url, service.name, migrations, serving_role=settings.database_role)
    elif not arguments:
        serve(create_app(service, settings), settings)
    else:
        sys.exit(f"usage: python -m stockbuddy.{service.name} [migrate]")
