"""What an operator can have set wrong is one line with the remedy; leftovers of an earlier run are ended."""

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stockbuddy.chassis.runtime.settings import InvalidSettings
from stockbuddy.embedded.banner import banner
from stockbuddy.embedded.database import open_database
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.embedded.leftovers import ProcessList
from stockbuddy.embedded.ports import url_of
from stockbuddy.embedded.processes import programs
from stockbuddy.embedded.settings import EmbeddedSettings, load_embedded_settings


def test_all_invalid_settings_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENV": "development",
        "PORT": "eighty",
        "BUS_URL": "redis://broker",
        "DATABASE_URL": "mysql://host/shop",
        "SESSION_DAYS": "-1",
        "CONNECT_TIMEOUT_SECONDS": "soon",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as found:
        load_embedded_settings(with_processes=False)
    names = [line.partition(":")[0] for line in found.value.lines]
    assert sorted(names) == ["BUS_URL", "CONNECT_TIMEOUT_SECONDS", "DATABASE_URL", "PORT", "SESSION_DAYS"]
    assert not any("redis" in line or "mysql" in line for line in found.value.lines), "a URL may contain a password"


def test_production_names_every_development_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "production")
    monkeypatch.setenv("CORS_ORIGINS", "*")
    with pytest.raises(InvalidSettings, match="SECRET_KEY is a development secret") as found:
        load_embedded_settings(with_processes=False)
    assert "CORS_ORIGINS allows every origin" in str(found.value)


def test_common_names_are_understood_and_described(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENV": "development", "API_PORT": "8150", "DB_HOST": "db", "DEBUG": "true"}.items():
        monkeypatch.setenv(name, value)
    settings = load_embedded_settings(with_processes=False)
    assert (settings.port, settings.database_url) == (8150, "postgresql://postgres@db:5432/postgres")
    assert len(settings.describe_common_names()) == 3
    # One process per service: they are interpreted once.
    for program in programs(settings, "postgresql://elsewhere/shop"):
        assert (program.environment["DB_HOST"], program.environment["LOG_LEVEL"]) == ("", "debug")


@pytest.mark.parametrize("port", ["0", "65535"])
def test_port_without_room_for_the_services_is_rejected(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    for name, value in {"ENV": "development", "PORT": port, "BUS_URL": "amqp://broker"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match="PORT: from 1 to 65531"):
        load_embedded_settings(with_processes=True)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("192.0.2.7", "http://192.0.2.7:8000"),
    ],
)
def test_banner_names_an_address_that_listens(host: str, url: str) -> None:
    assert url_of(host, 8000) == url


def test_banner_mentions_the_first_admin_only_if_there_is_none() -> None:
    url = "http://127.0.0.1:8000"
    assert f"curl -s {url}/api/v1/auth/admin/register" in banner(url, needs_admin=True)
    assert "admin" not in banner(url, needs_admin=False)


def open_and_close(url: str | None, data: Path) -> None:
    with open_database(EmbeddedSettings(database_url=url, STOCKBUDDY_DATA=data)):
        pass


async def test_missing_database_is_named(database_url: str, tmp_path: Path) -> None:
    parts = urlsplit(database_url)
    missing = parts._replace(path=f"{parts.path}_of_another_name").geturl()
    with pytest.raises(StartFailed, match=r"has no database .*_of_another_name: create it"):
        await asyncio.to_thread(open_and_close, missing, tmp_path)


async def test_unknown_role_is_named(database_url: str, tmp_path: Path) -> None:
    parts = urlsplit(database_url)
    unknown = parts._replace(netloc=f"eve:wrong@{parts.netloc.rpartition('@')[2]}").geturl()
    with pytest.raises(StartFailed, match=r"refuses the user eve .*: correct the name or the password"):
        await asyncio.to_thread(open_and_close, unknown, tmp_path)


def test_unreachable_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"no PostgreSQL responds at 127\.0\.0\.1:1 .*: start it"):
        open_and_close("postgresql://ann:secret@127.0.0.1:1/shop", tmp_path)


@pytest.mark.parametrize("url", [None, "postgresql://host/shop"])
def test_data_directory_below_a_file_is_named(tmp_path: Path, url: str | None) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartFailed, match="STOCKBUDDY_DATA: can't write to"):
        if url is None:
            open_and_close(None, tmp_path / "file")
        else:
            with ProcessList.opened(tmp_path / "file", 8000):
                pass


def test_processes_of_a_killed_run_are_ended_at_the_next_start(tmp_path: Path) -> None:
    package = tmp_path / "left_over.py"
    package.write_text("import time\nprint(flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "left_over"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        # `exited` stands for an id that another program has by now.
        (tmp_path / "processes-8000").write_text(f"{process.pid} left_over\n1 exited\n")
        with ProcessList.opened(tmp_path, 8000):
            assert process.wait(10) != 0
            with pytest.raises(StartFailed, match="runs on port 8000"), ProcessList.opened(tmp_path, 8000):
                pass
    assert (tmp_path / "processes-8000").read_text() == ""
