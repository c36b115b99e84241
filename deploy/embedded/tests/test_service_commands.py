"""The commands of the services, as `stockbuddy` runs them where the server is installed."""

import asyncio
from collections.abc import Sequence

import pytest

from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.service_commands import calls_of, main
from stockbuddy.embedded.service_registry import SERVICES


async def test_commands_run_on_the_database_of_the_installation(
    databases: TemplateDatabases, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    migrations: Sequence[Migrate] = [ServiceMigrations(one.name, one.migrations) for one in SERVICES]
    monkeypatch.setenv("ENV", "development")
    async with databases.clone(migrations) as database_url:
        monkeypatch.setenv("DATABASE_URL", database_url)
        capfd.readouterr()
        assert await asyncio.to_thread(main, ["setup-token"]) == 0
        assert capfd.readouterr().out.startswith("setup_token: ")
        assert await asyncio.to_thread(main, ["dead-letters", "stock", "retry"]) == 0
        assert capfd.readouterr().out == "0 messages requeued\n"


def test_command_concerns_the_services_that_have_it() -> None:
    assert calls_of(["migrate"]) == [[one.name, "migrate"] for one in SERVICES]
    assert calls_of(["events", "new-epoch"]) == [["notifications", "events", "new-epoch"]]
    assert calls_of(["consumers", "add", "shop", "stock.*"]) == [
        ["notifications", "consumers", "add", "shop", "stock.*"]
    ]


def test_mistakes_are_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "shipping", "list"]) == 2
    usage = "usage: stockbuddy dead-letters auth|catalog|stock|notifications list | retry [EVENT_ID…]\n"
    assert capfd.readouterr().err == usage
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/shop")
    assert main(["migrate"]) == 1
    assert capfd.readouterr().err.count("\n") == 1
