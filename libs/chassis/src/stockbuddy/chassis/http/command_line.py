"""The command line of every service: `python -m stockbuddy.<service>` serves, `… migrate` upgrades its schema, and
`… dead-letters` lists and requeues messages that could not be handled."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.companies import CompanyApps, company_of_header
from stockbuddy.chassis.http.server import serve
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.messaging import dead_letters
from stockbuddy.chassis.postgres import migrations
from stockbuddy.chassis.runtime.database_url import server_of
from stockbuddy.chassis.runtime.failures import classify
from stockbuddy.chassis.runtime.settings import ServiceSettings, only_company


def main(
    service: Service, companies: Sequence[ServiceSettings], folder: Path, arguments: Sequence[str] | None = None
) -> None:
    """`companies`: the settings of each company."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["migrate"]:
        for settings in companies:
            with describing_outages(settings):
                migrations.run_command(settings.database_url, service.name, folder, serving_role=settings.database_role)
    elif list(arguments[:1]) == ["dead-letters"]:
        settings = only_company(companies)
        with describing_outages(settings):
            dead_letters.run_command(settings.database_url, service.name, arguments[1:])
    elif not arguments:
        serve(_create_app(service, companies), companies, schema=service.name)
    else:
        sys.exit(
            f"usage: python -m stockbuddy.{service.name} [migrate | dead-letters list | dead-letters retry [EVENT_ID…]]"
        )


def _create_app(service: Service, companies: Sequence[ServiceSettings]) -> ASGIApp:
    apps = {settings.company: create_app(service, settings) for settings in companies}
    if None in apps:
        return apps[None]
    return CompanyApps({str(company): app for company, app in apps.items()}, company_of_header)


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
