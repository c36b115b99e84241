"""The start of a service without its database: it waits and says so; commands end with one line."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from stockbuddy.chassis.http.command_line import describing_outages
from stockbuddy.chassis.http.server import wait_for_database
from stockbuddy.chassis.postgres import migrations
from stockbuddy.chassis.runtime.settings import ServiceSettings

UNREACHABLE = "postgresql://ann:of-ann@127.0.0.1:1/shop"


async def first_line_while_waiting(url: str, schema: str) -> Any:
    with capture_logs() as logs:
        waiting = asyncio.create_task(wait_for_database(url, schema))
        async with asyncio.timeout(20):
            while not logs:
                await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    return logs[0]


async def test_start_waits_for_the_database_and_its_tables(database_url: str) -> None:
    line = await first_line_while_waiting(UNREACHABLE, "probe")
    assert (line["event"], line["failure"]) == ("start.waiting_for_database", "database: unavailable")
    assert line["server"] == "127.0.0.1:1"
    assert "of-ann" not in str(line)
    line = await first_line_while_waiting(database_url, "not_migrated")
    assert line["failure"] == "database: schema missing"
    async with asyncio.timeout(20):
        await wait_for_database(database_url, "probe")


def test_command_without_database_ends_with_one_line(tmp_path: Path) -> None:
    settings = ServiceSettings(env="development", database_url=UNREACHABLE)
    expected = pytest.raises(SystemExit, match=r"DATABASE_URL: 127\.0\.0\.1:1: database: unavailable")
    with expected, describing_outages(settings):
        migrations.run_command(settings.database_url, "probe", tmp_path, serving_role=None)
