"""The command line of every service: `python -m stockbuddy.<service>` serves, `… migrate` upgrades its schema, and
`… dead-letters` lists and requeues messages that could not be handled."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.server import serve
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.messaging import dead_letters
from stockbuddy.chassis.postgres import migrations
from stockbuddy.chassis.runtime.database_url import server_of
from stockbuddy.chassis.runtime.failures import classify
from stockbuddy.chassis.runtime.settings import ServiceSettings


def main(service: Service, settings: ServiceSettings, folder: Path, arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["migrate"]:
        with describing_outages(settings):
            migrations.run_command(settings.database_url, service.name, folder, serving_role=settings.database_role)
    elif list(arguments[:1]) == ["dead-letters"]:
        with describing_outages(settings):
            dead_letters.run_command(settings.database_url, service.name, arguments[1:])
    elif not arguments:
        serve(create_app(service, settings), settings, schema=service.name)
    else:
        sys.exit(
            f"usage: python -m stockbuddy.{service.name} [migrate | dead-letters list | dead-letters retry [EVENT_ID…]]"
        )


@contextmanager
def describing_outages(settings: ServiceSettings) -> Iterator[None]:
    """Exit with one line instead of a traceback if the database is not available or not usable."""
    try:
        yield
    except migrations.UnusableDatabase as error:
        sys.exit(f"DATABASE_URL: {server_of(settings.database_url)}: {error}.")
    except Exception as error:
        if not (failure := classify(error)).is_environment:
            raise
        sys.exit(
            f"DATABASE_URL: {server_of(settings.database_url)}: {failure}; start the server, or correct the setting."
        )
