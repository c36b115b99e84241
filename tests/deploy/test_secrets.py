"""Secrets are made once, marked in development, and refused in production unless they were made for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime.settings import DEVELOPMENT_SECRET_MARK

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
    for name in ("administration", "rabbitmq", *SERVICES, *(f"{service}-owner" for service in SERVICES)):
        (tmp_path / name).mkdir()
    return tmp_path


def contents(volumes: Path) -> dict[str, str]:
    """Of every file but the broker's, whose salts are new each time."""
    return {
        path.relative_to(volumes).as_posix(): path.read_text()
        for path in volumes.rglob("*")
        if path.is_file() and path.name != "definitions.json"
    }


def test_a_first_start_makes_them_and_later_ones_keep_them(script: Path, volumes: Path) -> None:
    assert run(script, volumes, env="development").returncode == 0
    made = contents(volumes)
    assert run(script, volumes, env="development").returncode == 0
    assert contents(volumes) == made
    assert {path.stat().st_mode & 0o777 for path in volumes.glob("*/*_url")} == {0o400}
    for service in SERVICES:
        assert made[f"{service}/database_url"].startswith(f"postgresql://{service}:")
        assert made[f"{service}-owner/database_url"].startswith(f"postgresql://{service}_owner:")
        assert made[f"{service}/bus_url"].startswith(f"amqp://{service}:")
    passwords = [text for name, text in made.items() if name.startswith("administration/")]
    assert len(set(passwords)) == len(passwords) == 3 + 3 * len(SERVICES)


def test_the_broker_gets_no_password_in_the_clear(script: Path, volumes: Path) -> None:
    run(script, volumes, env="development")
    text = (volumes / "rabbitmq/definitions.json").read_text()
    assert not [name for name, secret in contents(volumes).items() if secret in text]
    assert {user["name"] for user in json.loads(text)["users"]} == {"operator", *SERVICES}


def test_production_refuses_what_development_made(script: Path, volumes: Path) -> None:
    run(script, volumes, env="development")
    refused = run(script, volumes, "--make", env="production")
    assert refused.returncode == 1
    assert "for development" in refused.stderr
    with pytest.raises(ValidationError, match="development secret"):
        AuthSettings(env="production", _secrets_dir=volumes / "auth")


def test_production_makes_its_own_only_when_told_to(script: Path, volumes: Path) -> None:
    refused = run(script, volumes, env="production")
    assert refused.returncode == 1
    assert "--make" in refused.stderr
    assert not contents(volumes)
    assert run(script, volumes, "--make", env="production").returncode == 0
    assert not [name for name, secret in contents(volumes).items() if DEVELOPMENT_SECRET_MARK in secret]
    assert run(script, volumes, env="production").returncode == 0
    AuthSettings(env="production", _secrets_dir=volumes / "auth")
