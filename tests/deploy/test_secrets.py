"""Secrets of the compose deployment: generated once, marked in development, rejected in production if marked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime.weak_secrets import DEVELOPMENT_SECRET_PREFIX
from stockbuddy.notifications.settings import NotificationsSettings

SERVICES = ("auth", "catalog", "stock", "notifications")


@pytest.fixture
def script(root: Path) -> Path:
    return root / "deploy/compose/make_secrets.py"


def run(script: Path, volumes: Path, *arguments: str, env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), "--volumes", str(volumes), "--reader", str(os.getuid()), *arguments]
    return subprocess.run(
        command, env={**os.environ, "ENV": env}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    for name in (
        "administration",
        "backup",
        "pgbouncer",
        "rabbitmq",
        "gateway",
        *SERVICES,
        *(f"{service}-owner" for service in SERVICES),
    ):
        (tmp_path / name).mkdir()
    return tmp_path


def contents(volumes: Path) -> dict[str, str]:
    """All files except the broker's definitions, whose salts change at each start."""
    return {
        path.relative_to(volumes).as_posix(): path.read_text()
        for path in volumes.rglob("*")
        if path.is_file() and path.name != "definitions.json"
    }


def test_first_start_generates_secrets_and_later_starts_keep_them(script: Path, volumes: Path) -> None:
    assert run(script, volumes, env="development").returncode == 0
    generated = contents(volumes)
    assert run(script, volumes, env="development").returncode == 0
    assert contents(volumes) == generated
    assert {path.stat().st_mode & 0o777 for path in volumes.glob("*/*_url")} == {0o400}
    for service in SERVICES:
        assert generated[f"{service}/database_url"].startswith(f"postgresql://{service}:")
        assert generated[f"{service}-owner/database_url"].startswith(f"postgresql://{service}_owner:")
        assert generated[f"{service}/bus_url"].startswith(f"amqp://{service}:")
    assert generated["gateway/gateway_secret"] == generated["auth/gateway_secret"]
    assert generated["notifications/secret_key"] not in (generated["auth/secret_key"], generated["auth/gateway_secret"])
    of_backups = {name.partition("/")[2]: text for name, text in generated.items() if name.startswith("backup/")}
    assert of_backups.pop("database_url").startswith("postgresql://postgres:")
    assert {f"administration/{name}": text for name, text in of_backups.items()}.items() <= generated.items()
    passwords = [text for name, text in generated.items() if name.startswith("administration/")]
    assert len(set(passwords)) == len(passwords) == 3 + 3 * len(SERVICES)


def test_broker_definitions_contain_no_plain_text_password(script: Path, volumes: Path) -> None:
    run(script, volumes, env="development")
    text = (volumes / "rabbitmq/definitions.json").read_text()
    assert not [name for name, secret in contents(volumes).items() if secret in text]
    assert {user["name"] for user in json.loads(text)["users"]} == {"operator", *SERVICES}


def test_production_rejects_development_secrets(script: Path, volumes: Path) -> None:
    run(script, volumes, env="development")
    rejected = run(script, volumes, "--make", env="production")
    assert rejected.returncode == 1
    assert "development secrets" in rejected.stderr
    with pytest.raises(ValidationError, match="development secret"):
        AuthSettings(env="production", _secrets_dir=volumes / "auth")


def test_production_generates_secrets_only_with_make_option(script: Path, volumes: Path) -> None:
    rejected = run(script, volumes, env="production")
    assert rejected.returncode == 1
    assert "--make" in rejected.stderr
    assert not contents(volumes)
    assert run(script, volumes, "--make", env="production").returncode == 0
    assert not [name for name, secret in contents(volumes).items() if DEVELOPMENT_SECRET_PREFIX in secret]
    assert run(script, volumes, env="production").returncode == 0
    AuthSettings(env="production", _secrets_dir=volumes / "auth")
    NotificationsSettings(env="production", _secrets_dir=volumes / "notifications")
