"""The command line of every service: `python -m stockbuddy.<service>` serves, `… migrate` upgrades its schema, and
`… dead` shows and retries the messages that it has given up."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stockbuddy.chassis import dead_messages, migrations
from stockbuddy.chassis.settings import ServiceSettings
from stockbuddy.chassis.web import Service, create_app, serve


def main(service: Service, settings: ServiceSettings, folder: Path, arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["migrate"]:
        migrations.run_command(settings.database_url, service.name, folder, serving_role=settings.database_role)
    elif list(arguments[:1]) == ["dead"]:
        dead_messages.run_command(settings.database_url, service.name, arguments[1:])
    elif not arguments:
        serve(create_app(service, settings), settings)
    else:
        sys.exit(f"usage: python -m stockbuddy.{service.name} [migrate | dead [retry [EVENT_ID…]]]")
