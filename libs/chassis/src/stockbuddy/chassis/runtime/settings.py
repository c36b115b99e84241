"""Settings shared by all services, read from the environment; a service adds its own in a subclass.

One environment may configure all services, so names are the same everywhere and unknown ones are ignored. A setting
that is not in the environment is read from a file with its name in lower case in `SECRETS_DIRECTORY`.
"""

import os
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stockbuddy.chassis.runtime.database_url import check_database_url

DEVELOPMENT_SECRET_PREFIX = "development"


class ServiceSettings(BaseSettings):
    """The environment of one service process.

    `database_url`: a PostgreSQL URL; the service uses the schema with its own name. `database_role`: the serving role;
    `migrate`, run as the owner of the schema, grants it the privileges that serving needs. `bus_url`: an AMQP URL;
    None selects the in-process bus. `jwks_url`: the URL of auth's signing keys.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, secrets_dir=os.environ.get("SECRETS_DIRECTORY"), hide_input_in_errors=True
    )

    env: Literal["development", "production"] = "production"
    database_url: str = Field(default="postgresql://postgres@127.0.0.1:5432/postgres", repr=False)
    database_role: str | None = None
    database_pool_size: PositiveInt = 10
    bus_url: str | None = Field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    jwks_url: str = "http://127.0.0.1:8001/.well-known/jwks.json"
    token_issuer: str = "stockbuddy"
    token_audience: str = "stockbuddy"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    shutdown_seconds: PositiveFloat = 20

    @field_validator("database_url")
    @classmethod
    def reject_unusable_database_url(cls, url: str) -> str:
        check_database_url(url)
        return url

    @model_validator(mode="after")
    def reject_development_secrets(self) -> Self:
        """Production must not start with a secret from the repository or one generated for development."""
        if self.env == "production":
            for name, value in self:
                text = value.get_secret_value() if isinstance(value, SecretStr) else value
                if isinstance(text, str) and _is_for_development(text):
                    raise ValueError(f"{name.upper()} is a development secret; set a new one")
        return self


def _is_for_development(value: str) -> bool:
    """True for a secret, or a URL with a password, that has the development prefix."""
    prefix = DEVELOPMENT_SECRET_PREFIX + "-"
    return value.startswith(prefix) or ("://" in value and (urlsplit(value).password or "").startswith(prefix))
