"""The schedule of backups serves when the newest one was made, when one was verified, and how many failed."""

import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest

from stockbuddy.embedded.backup.create_backup import create_backup
from stockbuddy.embedded.backup.directory import name_backup
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.local_servers.ports import free_port

PASSPHRASE = "correct horse battery"
MADE_AT = datetime(2026, 3, 5, 2, tzinfo=UTC)


def value_of(page: str, name: str) -> float:
    found = re.search(rf"^{name} (.+)$", page, re.MULTILINE)
    assert found is not None, page
    return float(found[1])


async def test_schedule_serves_its_metrics(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, port = tmp_path / "backups", free_port()
    for name, value in {
        "STOCKBUDDY_DATA": str(tmp_path / "data"),
        "IMAGE_STORE": str(tmp_path / "images"),
        "BACKUP_DIRECTORY": str(directory),
        "BACKUP_PASSPHRASE": PASSPHRASE,
        "BACKUP_TIME": "02:00",
    }.items():
        monkeypatch.setenv(name, value)
    backup = directory / name_backup(MADE_AT)
    await create_backup(source, backup, BackupSettings())
    verified_from = datetime.now(UTC).timestamp() - 1
    assert await run_command("verify", backup) == 0

    # The schedule finds a backup of today missing, and fails to make it.
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann@127.0.0.1:1/shop")
    monkeypatch.setenv("BACKUP_METRICS_PORT", str(port))
    schedule = await start_command("schedule")
    try:
        page = await until_failed(f"http://127.0.0.1:{port}/metrics")
    finally:
        schedule.terminate()
        await schedule.wait()
    assert value_of(page, "stockbuddy_backup_created_timestamp_seconds") == MADE_AT.timestamp()
    assert value_of(page, "stockbuddy_backup_verified_timestamp_seconds") >= verified_from


async def run_command(*arguments: str | Path) -> int:
    process = await start_command(*arguments)
    return await process.wait()


async def start_command(*arguments: str | Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stockbuddy.embedded.backup", "backup", *arguments
    )


async def until_failed(url: str) -> str:
    """The metrics, once a backup has failed."""
    async with asyncio.timeout(120), httpx.AsyncClient() as http:
        while True:
            try:
                page = (await http.get(url)).text
                if value_of(page, "stockbuddy_backup_failures_total") >= 1:
                    return page
            except httpx.ConnectError:
                pass
            await asyncio.sleep(0.1)
