"""Settings of an embedded run. Everything else is a setting of a service."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from stockbuddy.chassis.runtime.companies import PLACEHOLDER, CompanyNames, CompanySettings, for_company
from stockbuddy.chassis.runtime.settings import InvalidSettings, load_settings, load_settings_of_companies
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.gateway.settings import GatewaySettings

MAX_PORT = 65_535
EMBEDDED_VALUES: dict[str, Any] = {"gateway_secret": "generated-at-each-start-for-one-run-only"}
"""Settings that an embedded run generates, as stand-ins for the check."""


class EmbeddedSettings(CompanyNames):
    """`data`: directory of the list of processes and of the private PostgreSQL, which is started only if `database_url`
    is not set. `background_process`: whether background work has a process of its own; `auto`: if there is a second
    processor. `{company}` stands for the name of each company."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)
    is_public: ClassVar[bool] = True

    env: Literal["development", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=MAX_PORT)
    data: Path = Field(default=Path(".stockbuddy"), validation_alias="STOCKBUDDY_DATA")
    database_url: str | None = None
    bus_url: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    public_url: str | None = None
    background_process: Literal["auto", "on", "off"] = "auto"

    @property
    def console_url(self) -> str | None:
        """Where browsers reach the run; None if the system chooses the port. `localhost` and no address: passkeys
        belong to a host name. Of several companies, each has a name of its own."""
        if self.selected != (None,):
            return self.public_url or f"http://{PLACEHOLDER}.localhost:{self.port}"
        return self.public_url or (f"http://localhost:{self.port}" if self.port else None)

    def company_url(self, company: str, port: int) -> str:
        """Where the operator's browser reaches one of several companies. `port`: where the system listens."""
        return for_company(self.public_url or f"http://{PLACEHOLDER}.localhost:{port}", company)


def load_embedded_settings(*, with_processes: bool) -> EmbeddedSettings:
    """Read the settings of the run and check those of all services. Raises InvalidSettings with all invalid ones."""
    lines: dict[str, None] = {}
    kinds: list[type[CompanySettings]] = [BackupSettings, GatewaySettings, *(one.settings for one in SERVICES)]
    settings, values = None, EMBEDDED_VALUES
    try:
        settings = load_settings(EmbeddedSettings)
        values = {**EMBEDDED_VALUES, **_values_of_companies(settings)}
    except InvalidSettings as error:
        lines.update(dict.fromkeys(error.lines))
    for kind in kinds:
        try:
            load_settings_of_companies(kind, **{name: values[name] for name in values if name in kind.model_fields})
        except InvalidSettings as error:
            lines.update(dict.fromkeys(error.lines))
    if settings is None or lines:
        raise InvalidSettings(list(lines))
    if with_processes and settings.bus_url is None:
        raise InvalidSettings(["BUS_URL: one process per service requires RabbitMQ: set BUS_URL=amqp://…"])
    if with_processes and not 0 < settings.port <= MAX_PORT - len(SERVICES):
        highest = MAX_PORT - len(SERVICES)
        raise InvalidSettings([f"PORT: from 1 to {highest}, because the services listen on the ports after it"])
    return settings


def _values_of_companies(settings: EmbeddedSettings) -> dict[str, str]:
    """What an embedded run chooses for each company, if the operator has not."""
    if settings.selected == (None,):
        return {}
    chosen = {"public_url": settings.console_url or ""}
    return chosen if settings.database_url else chosen | {"database_url": f"postgresql:///{PLACEHOLDER}"}
