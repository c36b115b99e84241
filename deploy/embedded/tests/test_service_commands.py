"""The commands of the services, as `stockbuddy` runs them where the server is installed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

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


@pytest.mark.parametrize(
    "arguments",
    [
        ["dead-letters", "shipping", "list"],
        ["dead-letters", "stock", "retry", "not-an-id"],
        ["migrate", "now"],
        ["events"],
        ["consumers", "add", "shop"],
    ],
)
def test_wrong_arguments_are_answered_with_the_usage(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKBUDDY_DATA", "/dev/null/nowhere")  # nothing is started
    with pytest.raises(SystemExit) as exit_code:
        main(arguments)
    assert exit_code.value.code == 2
    assert capfd.readouterr().err.startswith("usage: stockbuddy")


def test_help_needs_neither_settings_nor_a_database(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "not a number")
    for command in ("migrate", "dead-letters", "setup-token", "rotate-keys", "events", "consumers"):
        with pytest.raises(SystemExit) as exit_code:
            main([command, "--help"])
        assert exit_code.value.code == 0
        assert capfd.readouterr().out.startswith(f"usage: stockbuddy {command}")


def test_environment_has_a_default_on_the_private_database_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ENV", raising=False)
    monkeypatch.setenv("STOCKBUDDY_DATA", str(tmp_path))
    assert main(["rotate-keys"]) == 2  # would encrypt the key with the development secret
    assert "SECRET_KEY" in capfd.readouterr().err
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:a-Long-password-7@127.0.0.1:1/shop")
    assert main(["migrate"]) == 2
    assert "SECRET_KEY" in capfd.readouterr().err
    monkeypatch.delenv("DATABASE_URL")
    assert main(["setup-token"]) == 1
    assert "schema missing" in capfd.readouterr().err


def test_unreachable_database_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/shop")
    assert main(["migrate"]) == 1
    assert capfd.readouterr().err.count("\n") == 1
