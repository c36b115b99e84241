"""The command line of every service: `python -m stockbuddy.<service>` serves, `… migrate` upgrades its schema, and
`… dead-letters` lists and requeues messages that could not be handled."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stockbuddy.chassis.http.app import Service, create_app
from stockbuddy.chassis.http.server import serve
from stockbuddy.chassis.messaging import dead_letters
from stockbuddy.chassis.postgres import migrations
from stockbuddy.chassis.runtime.settings import ServiceSettings


def main(service: Service, settings: ServiceSettings, folder: Path, arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["migrate"]:
        migrations.run_command(settings.database_url, service.name, folder, serving_role=settings.database_role)
    elif list(arguments[:1]) == ["dead-letters"]:
        dead_letters.run_command(settings.database_url, service.name, arguments[1:])
    elif not arguments:
        serve(create_app(service, settings), settings)
    else:
        sys.exit(
            f"usage: python -m stockbuddy.{service.name} [migrate | dead-letters list | dead-letters retry [EVENT_ID…]]"
        )
