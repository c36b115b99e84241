"""Where the whole system keeps its data and listens; everything else is each service's own."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EmbeddedSettings(BaseSettings):
    """`data` holds the private PostgreSQL, which is started only where no `database_url` names another."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    env: Literal["development", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data: Path = Field(default=Path(".stockbuddy"), validation_alias="STOCKBUDDY_DATA")
    database_url: str | None = None
    bus_url: str | None = None
