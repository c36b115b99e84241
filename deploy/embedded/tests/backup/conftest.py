"""A database of all services with a few rows, and the settings of its backup."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from stockbuddy.chassis.testing.templates import ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.service_registry import SERVICES

PASSPHRASE = "correct horse battery"


@pytest.fixture
async def source(databases: TemplateDatabases) -> AsyncIterator[str]:
    """The URL of a database with an entry in the event log."""
    migrations = [ServiceMigrations(one.name, one.migrations) for one in SERVICES]
    async with databases.clone(migrations) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO auth.outbox_group (name) VALUES ('a group of a test')")
        await connection.close()
        yield url


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackupSettings:
    """A data directory with credentials, a secret and an image; nothing is restored to it."""
    image = tmp_path / "source/images/images/7/0123/original"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"an image" * 1000)
    (tmp_path / "source/credentials.json").write_text("{}")
    monkeypatch.setenv("SECRET_KEY", "a-secret-key-of-32-characters-in-a-test")
    return settings_for(tmp_path / "source")


def settings_for(data: Path, **values: object) -> BackupSettings:
    defaults = {"STOCKBUDDY_DATA": data, "image_store": str(data / "images"), "backup_passphrase": PASSPHRASE}
    return BackupSettings.model_validate(defaults | values)
