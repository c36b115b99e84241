"""Settings of an embedded run. Everything else is a setting of a service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EmbeddedSettings(BaseSettings):
    """`data`: directory of the private PostgreSQL, which is started only if `database_url` is not set."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    env: Literal["development", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data: Path = Field(default=Path(".stockbuddy"), validation_alias="STOCKBUDDY_DATA")
    database_url: str | None = None
    bus_url: str | None = None
