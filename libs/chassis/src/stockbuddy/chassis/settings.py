"""Settings that every service shares, read from the environment; a service adds its own in a subclass.

One environment may configure all services at once, so names are the same everywhere and unknown ones are ignored.
"""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_SECRET_MARK = "development"


class ServiceSettings(BaseSettings):
    """The environment of one service process.

    `database_url` is any PostgreSQL URL; the service keeps to the schema of its own name in it.
    `bus_url` is an AMQP URL, or null for the in-process bus. `jwks_url` is where auth publishes its signing keys.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    env: Literal["development", "production"] = "production"
    database_url: str = "postgresql://postgres@127.0.0.1:5432/postgres"
    database_pool_size: PositiveInt = 10
    bus_url: str | None = None
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
                if isinstance(value, str) and value.startswith(DEVELOPMENT_SECRET_MARK + "-"):
                    raise ValueError(f"{name.upper()} still holds a development secret; set a new one")
        return self
