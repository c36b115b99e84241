"""The services of the system: what a runner needs to know of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stockbuddy.auth import app as auth
from stockbuddy.catalog import app as catalog
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.http.app import Service
from stockbuddy.notifications import app as notifications
from stockbuddy.stock import app as stock


@dataclass(frozen=True, slots=True)
class Deployable:
    """A service, its settings class and its migrations."""

    service: Service
    settings: type[ServiceSettings]
    migrations: Path


SERVICES: Sequence[Deployable] = (
    Deployable(auth.SERVICE, auth.AuthSettings, auth.MIGRATIONS),
    Deployable(catalog.SERVICE, catalog.CatalogSettings, catalog.MIGRATIONS),
    Deployable(stock.SERVICE, stock.StockSettings, stock.MIGRATIONS),
    Deployable(notifications.SERVICE, notifications.NotificationsSettings, notifications.MIGRATIONS),
)


async def migrate_all(database_url: str) -> None:
    for deployable in SERVICES:
        await migrate(database_url, deployable.service.name, deployable.migrations)
