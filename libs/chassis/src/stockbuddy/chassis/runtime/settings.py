"""Settings shared by all services, read from the environment; a service adds its own in a subclass.

One environment may configure all services, so names are the same everywhere and unknown ones are ignored. A setting
that is not in the environment is read from a file with its name in lower case in `SECRETS_DIRECTORY`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict, SettingsError

from stockbuddy.chassis.runtime.broker_url import broker_urls
from stockbuddy.chassis.runtime.common_names import CommonNames, check_common_names
from stockbuddy.chassis.runtime.companies import CompanyNames, CompanySettings, describe_shared
from stockbuddy.chassis.runtime.database_url import check_database_url
from stockbuddy.chassis.runtime.pooler import Pooler, check_pooler_address
from stockbuddy.chassis.runtime.weak_secrets import describe_weakness

INVALID_SETTINGS_EXIT_CODE = 2
MAX_DIGITS = 9

Settings = TypeVar("Settings", bound=CommonNames)
Company = TypeVar("Company", bound=CompanySettings)


class ServiceSettings(CompanySettings):
    """The environment of one service process.

    `database_url`: a PostgreSQL URL; the service uses the schema with its own name. `database_role`: the serving role;
    `migrate`, run as the owner of the schema, grants it the privileges that serving needs. `database_pooler`: host and
    port of PgBouncer in transaction mode in front of that server, for all connections but those of commands such as
    `migrate`; `database_pooler_statements`: every PgBouncer has `max_prepared_statements`. `bus_url`: an AMQP URL, with
    several addresses for a cluster; None selects the in-process bus. `jwks_url`: the URL of auth's signing keys.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, secrets_dir=os.environ.get("SECRETS_DIRECTORY"), hide_input_in_errors=True
    )

    env: Literal["development", "production"] = "production"
    database_url: str = Field(default="postgresql://postgres@127.0.0.1:5432/postgres", repr=False)
    database_role: str | None = None
    database_pool_size: PositiveInt = 10
    database_pooler: str | None = None
    database_pooler_statements: bool = False
    bus_url: str | None = Field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    jwks_url: str = "http://127.0.0.1:8001/.well-known/jwks.json"
    token_issuer: str = "stockbuddy"
    token_audience: str = "stockbuddy"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    access_log: bool = True
    """A line for each completed request, if `log_level` is info or debug."""
    shutdown_seconds: PositiveFloat = 20

    @field_validator("database_url")
    @classmethod
    def reject_unusable_database_url(cls, url: str) -> str:
        check_database_url(url)
        return url

    @field_validator("database_pooler", "database_read_pooler", check_fields=False)
    @classmethod
    def reject_unusable_pooler(cls, address: str | None) -> str | None:
        if address:
            check_pooler_address(address)
        return address or None

    @property
    def pooler(self) -> Pooler | None:
        """How serving connections reach the database; None if directly."""
        return self._pooler_at(self.database_pooler)

    def _pooler_at(self, address: str | None) -> Pooler | None:
        return None if address is None else Pooler(address, keeps_statements=self.database_pooler_statements)

    @field_validator("bus_url")
    @classmethod
    def reject_unusable_bus_url(cls, url: str | None) -> str | None:
        if url:
            broker_urls(url)
        return url

    @model_validator(mode="after")
    def reject_insecure_production(self) -> Self:
        if self.env == "production" and (reasons := self.reasons_against_production()):
            raise ValueError("\n".join(reasons))
        return self

    def reasons_against_production(self) -> list[str]:
        """Why production must not start with these settings: all reasons, each with the name of its setting."""
        reasons = []
        for name, value in self:
            is_secret = isinstance(value, SecretStr)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if isinstance(text, str) and (weakness := describe_weakness(text, is_secret=is_secret)):
                reasons.append(f"{name.upper()} {weakness}")
        return reasons


class ReadReplicaSettings(ServiceSettings):
    """`database_read_url`: a PostgreSQL URL of a hot standby of the service's database, or of several behind one
    address, for the reads of GET requests. `database_read_pooler`: like `database_pooler`, in front of the standbys."""

    database_read_url: str | None = Field(default=None, repr=False)
    database_read_pooler: str | None = None

    @field_validator("database_read_url")
    @classmethod
    def reject_unusable_read_url(cls, url: str | None) -> str | None:
        if url:
            check_database_url(url)
        return url or None

    @property
    def read_pooler(self) -> Pooler | None:
        """How serving connections reach the standbys; None if directly."""
        return self._pooler_at(self.database_read_pooler)


MAX_CACHE_SECONDS = 3600
"""Well below the days for which the outbox keeps what it has sent: see `postgres.data_version`."""


class CacheSettings(ServiceSettings):
    """`cache_url`: Redis or Valkey, shared by the service's replicas; None: each keeps its responses in memory.
    `cache_seconds`: how long a response is kept at most; 0 turns the cache off."""

    cache_url: str | None = Field(default=None, repr=False)
    cache_seconds: int = Field(default=300, ge=0, le=MAX_CACHE_SECONDS)

    @field_validator("cache_url")
    @classmethod
    def reject_unusable_cache_url(cls, url: str | None) -> str | None:
        if url and not url.startswith(("redis://", "rediss://", "valkey://", "valkeys://")):
            raise ValueError("the cache is Redis or Valkey: its URL begins with redis:// or valkey://")
        return url or None


class JobSettings(ServiceSettings):
    """Of a service that runs jobs. After `job_lease_seconds` without a renewal, another replica repeats a job."""

    job_lease_seconds: PositiveFloat = 30


class AccessTokenSettings(ServiceSettings):
    """`access_token_expire_minutes`: the same in minutes, a name that other systems use; it yields to the seconds."""

    access_token_seconds: PositiveInt = 900
    access_token_expire_minutes: PositiveInt | None = None

    @model_validator(mode="before")
    @classmethod
    def convert_minutes(cls, values: dict[str, Any]) -> dict[str, Any]:
        minutes = str(values.get("access_token_expire_minutes", ""))
        if "access_token_seconds" not in values and minutes.isascii() and minutes.isdecimal():
            return values | {"access_token_seconds": int(minutes[:MAX_DIGITS]) * 60}
        return values


class InvalidSettings(Exception):
    """`lines`: one per invalid setting, each with its name and what is accepted, without the value."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def load_settings(kind: type[Settings], **values: Any) -> Settings:
    """Read the environment. Raises InvalidSettings with all invalid settings of `kind`."""
    invalid = check_common_names()
    try:
        settings = kind(**values)
    except ValidationError as error:
        invalid += [line for item in error.errors(include_input=False) for line in _describe(item).splitlines()]
    except SettingsError as error:
        invalid.append(str(error))
    if invalid:
        raise InvalidSettings(invalid)
    return settings


def load_settings_of_companies(kind: type[Company], **values: Any) -> list[Company]:
    """The settings of each company, one without a name in an installation of one company. Raises InvalidSettings, also
    for a setting that two companies share but must not."""
    settings = [
        load_settings(kind, **values, **({"company": name} if name else {}))
        for name in load_settings(CompanyNames).selected
    ]
    if shared := describe_shared(settings):
        raise InvalidSettings(shared)
    return settings


def load_settings_of_companies_or_exit(kind: type[Company]) -> list[Company]:
    try:
        settings = load_settings_of_companies(kind)
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        sys.exit(INVALID_SETTINGS_EXIT_CODE)
    for line in settings[0].describe_common_names():
        print(line, file=sys.stderr)
    return settings


def only_company(settings: Sequence[Company]) -> Company:
    """For a command that is for one company: exits if several are possible."""
    if len(settings) > 1:
        names = ", ".join(str(one.company) for one in settings)
        print(f"COMPANY: this command is for one company; set it to one of {names}", file=sys.stderr)
        sys.exit(INVALID_SETTINGS_EXIT_CODE)
    return settings[0]


def _describe(error: Any) -> str:
    name = str(error["loc"][0]).upper() if error["loc"] else ""
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message
