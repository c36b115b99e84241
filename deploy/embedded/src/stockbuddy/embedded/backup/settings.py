"""Settings of backups and restores."""

import os
from datetime import time
from pathlib import Path

from pydantic import Field, PositiveInt, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from stockbuddy.chassis.runtime.companies import CompanySettings
from stockbuddy.chassis.runtime.database_url import check_database_url

MIN_PASSPHRASE_LENGTH = 12


class BackupSettings(CompanySettings):
    """`data`: the data directory, whose private PostgreSQL is backed up if `database_url` is not set. `image_store` and
    `s3_…`: those of catalog. `secrets_directory`: its files are part of each backup.

    `backup_directory`: where `schedule` keeps the newest `backup_keep` backups, one a day at `backup_time` (UTC). A
    backup is encrypted for the passphrase, or for the recipient (age1…) or the key file of `stockbuddy backup new-key`;
    a restore needs the passphrase or the key file. `schedule` serves `/metrics` at `host` and `backup_metrics_port`.
    """

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        secrets_dir=os.environ.get("SECRETS_DIRECTORY"),
    )

    data: Path = Field(default=Path(".stockbuddy"), validation_alias="STOCKBUDDY_DATA")
    database_url: str | None = Field(default=None, repr=False)
    image_store: str = ".stockbuddy/images"
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None
    secrets_directory: Path | None = None
    backup_directory: Path | None = None
    backup_time: time = time(2)
    backup_keep: PositiveInt = 14
    backup_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    host: str = "127.0.0.1"
    backup_passphrase: SecretStr | None = None
    backup_recipient: str | None = None
    backup_key_file: Path | None = None

    @field_validator("database_url")
    @classmethod
    def reject_unusable_database_url(cls, url: str | None) -> str | None:
        if url is not None:
            check_database_url(url)
        return url

    @field_validator("backup_time")
    @classmethod
    def reject_time_zone(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("a time of day in UTC, as 02:00")
        return at

    @field_validator("backup_passphrase")
    @classmethod
    def reject_short_passphrase(cls, passphrase: SecretStr | None) -> SecretStr | None:
        if passphrase is not None and len(passphrase.get_secret_value()) < MIN_PASSPHRASE_LENGTH:
            raise ValueError(f"a passphrase has at least {MIN_PASSPHRASE_LENGTH} characters")
        return passphrase

    @model_validator(mode="after")
    def reject_unusable_keys(self) -> "BackupSettings":
        if self.backup_passphrase and (self.backup_recipient or self.backup_key_file):
            raise ValueError("set BACKUP_PASSPHRASE, or BACKUP_RECIPIENT and BACKUP_KEY_FILE, not both")
        has_key = self.backup_passphrase or self.backup_recipient or self.backup_key_file
        if self.backup_directory is not None and not has_key:
            raise ValueError("BACKUP_DIRECTORY requires BACKUP_PASSPHRASE, BACKUP_RECIPIENT or BACKUP_KEY_FILE")
        return self

    @property
    def image_directory(self) -> Path | None:
        """None if the images are in S3."""
        return None if self.image_store.startswith("s3://") else Path(self.image_store)
