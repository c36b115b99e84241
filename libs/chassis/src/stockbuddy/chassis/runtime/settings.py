"""Settings that every service shares, read from the environment; a service adds its own in a subclass.

One environment may configure all services at once, so names are the same everywhere and unknown ones are ignored.
What the environment does not say may be said by files: one for each setting, named like it in lower case, in the
directory that `SECRETS_DIRECTORY` names.
"""

import os
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_SECRET_MARK = "development"


class ServiceSettings(BaseSettings):
    """The environment of one service process.

    `database_url` is any PostgreSQL URL; the service keeps to the schema of its own name in it.
    `migrate` may run as another role, the owner of the schema, and then grants `database_role` what serving needs.
    `bus_url` is an AMQP URL, or null for the in-process bus. `jwks_url` is where auth publishes its signing keys.
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

    @model_validator(mode="after")
    def refuse_development_secrets(self) -> Self:
        """Production must not start with a secret that the repository or a first start made up."""
        if self.env == "production":
            for name, value in self:
                if isinstance(value, str) and _is_for_development(value):
                    raise ValueError(f"{name.upper()} still holds a development secret; set a new one")
        return self


def _is_for_development(value: str) -> bool:
    """A secret that is marked, by itself or as the password in a URL."""
    mark = DEVELOPMENT_SECRET_MARK + "-"
    return value.startswith(mark) or ("://" in value and (urlsplit(value).password or "").startswith(mark))
