"""The commands of the services, as `stockbuddy` runs them where the server is installed."""

import os
import subprocess
import sys
from collections.abc import Sequence

from stockbuddy.chassis.testing.templates import Migrate, ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.service_registry import SERVICES


def run(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stockbuddy.embedded.service_commands", *arguments],
        env={**os.environ, "ENV": "development", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_commands_run_on_the_database_of_the_installation(databases: TemplateDatabases) -> None:
    migrations: Sequence[Migrate] = [ServiceMigrations(one.name, one.migrations) for one in SERVICES]
    async with databases.clone(migrations) as database_url:
        migrated = run(database_url, "migrate")
        assert (migrated.returncode, migrated.stderr.count("up to date")) == (0, len(SERVICES)), migrated.stderr
        token = run(database_url, "setup-token")
        assert (token.returncode, token.stdout.startswith("setup_token: ")) == (0, True), token.stderr
        retried = run(database_url, "dead-letters", "stock", "retry")
        assert (retried.returncode, retried.stdout) == (0, "0 messages requeued\n"), retried.stderr
        epoch = run(database_url, "new-epoch")
        assert (epoch.returncode, "is in epoch" in epoch.stdout) == (0, True), epoch.stderr


def test_mistakes_are_one_line() -> None:
    unknown = run("postgresql://127.0.0.1:1/shop", "dead-letters", "shipping", "list")
    assert (unknown.returncode, unknown.stderr.splitlines()) == (
        2, ["usage: stockbuddy dead-letters auth|catalog|stock|notifications list | retry [EVENT_ID…]"],
    )  # fmt: skip
    away = run("postgresql://127.0.0.1:1/shop", "migrate")
    assert (away.returncode, len(away.stderr.splitlines())) == (1, 1), away.stderr
