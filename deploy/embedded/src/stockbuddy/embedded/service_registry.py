"""The services of the system, in the order in which they start."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError

from stockbuddy.auth import app as auth
from stockbuddy.catalog import app as catalog
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.postgres.migrations import UnusableDatabase, migrate
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.notifications import app as notifications
from stockbuddy.stock import app as stock

Env = Literal["development", "production"]


@dataclass(frozen=True, slots=True)
class EmbeddedService:
    """A service with the class of its settings and its migrations."""

    service: Service
    settings: type[ServiceSettings]
    migrations: Path

    @property
    def name(self) -> str:
        return self.service.name

    def load_settings(
        self,
        database_url: str,
        *,
        env: Env,
        gateway_secret: str,
        public_url: str | None = None,
        company: str | None = None,
    ) -> ServiceSettings:
        """`public_url`: where browsers reach the system, by default what the environment says."""
        own: dict[str, Any] = (
            {"public_url": public_url} if public_url and "public_url" in self.settings.model_fields else {}
        )
        if company is not None:
            own["company"] = company
        return self.settings(database_url=database_url, env=env, gateway_secret=gateway_secret, **own)


SERVICES: Sequence[EmbeddedService] = (
    EmbeddedService(auth.SERVICE, auth.AuthSettings, auth.MIGRATIONS),
    EmbeddedService(catalog.SERVICE, catalog.CatalogSettings, catalog.MIGRATIONS),
    EmbeddedService(stock.SERVICE, stock.StockSettings, stock.MIGRATIONS),
    EmbeddedService(notifications.SERVICE, notifications.NotificationsSettings, notifications.MIGRATIONS),
)


async def migrate_all(database_url: str) -> None:
    """Create or upgrade the schemas of all services. Raises StartFailed if the database refuses it."""
    for embedded in SERVICES:
        try:
            await migrate(database_url, embedded.name, embedded.migrations)
        except (DBAPIError, UnusableDatabase) as error:
            reason = str(getattr(error, "orig", None) or error).rpartition(">: ")[2].splitlines()[0]
            message = f"DATABASE_URL: the tables of {embedded.name} can't be created or upgraded: {reason}."
            raise StartFailed(message) from error
