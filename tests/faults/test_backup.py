"""Backups under load, and backups and restores that are killed at any moment."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stockbuddy.chassis.testing.postgres import private_postgres_server
from stockbuddy.chassis.testing.rabbitmq import private_rabbitmq_server
from stockbuddy.chassis.testing.templates import ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.backup.create_backup import UNFINISHED
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.backup.verify_backup import verify_backup
from stockbuddy.embedded.service_registry import SERVICES
from tests.faults.deployment import Deployment, start_deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PASSPHRASE = "correct horse battery"
TIMEOUT_SECONDS = 600
IMAGES = 40
IMAGE_BYTES = 1 << 20
REQUESTS_AFTER_BACKUP = 20


async def start(database_url: str | None, data: Path, *arguments: str | Path) -> asyncio.subprocess.Process:
    variables = {
        "STOCKBUDDY_DATA": str(data),
        "IMAGE_STORE": str(data / "images"),
        "BACKUP_PASSPHRASE": PASSPHRASE,
        "DATABASE_URL": database_url or "",
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stockbuddy.embedded.backup", *arguments), env={**os.environ, **variables}
    )


async def run(database_url: str | None, data: Path, *arguments: str | Path) -> None:
    process = await start(database_url, data, *arguments)
    assert await asyncio.wait_for(process.wait(), TIMEOUT_SECONDS) == 0


async def kill_when(process: asyncio.subprocess.Process, is_reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not is_reached():
            assert process.returncode is None, "it ended before"
            await asyncio.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def test_backup_taken_under_load_restores_every_earlier_write_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    backup, data = tmp_path / "shop.backup", tmp_path / "data"
    async with deployment.load("saved") as load:
        before = set(load.log.acknowledged)
        await run(deployment.postgres.url, data, "backup", "create", backup)
        await load.wait_until_acknowledged(REQUESTS_AFTER_BACKUP)
    await deployment.verifier.verify("backup under load", load)
    cursor = await deployment.verifier.value("SELECT position FROM notifications.event_log_head")
    for program in deployment.programs.values():
        program.signal(signal.SIGSTOP)  # frees the processors for the restored system
    try:
        with private_postgres_server() as postgres, private_rabbitmq_server() as rabbitmq:
            await run(postgres.url, data, "restore", backup)
            folder = tmp_path / "restored"
            folder.mkdir()
            async with start_deployment(postgres, rabbitmq, folder, has_admin=True) as restored:
                await restored.verifier.verify_restored("restore of a backup taken under load", load, before)
                events = await restored.client.get("/events", after=cursor)
                assert (events.status, events.code) == (409, "cursor_ahead")
                async with restored.load("continued") as continued:
                    pass
                await restored.verifier.verify("load after the restore", continued)
    finally:
        for program in deployment.programs.values():
            program.signal(signal.SIGCONT)


async def test_killed_backup_keeps_the_former_one_and_killed_restore_is_repeated(
    databases: TemplateDatabases, tmp_path: Path
) -> None:
    data, target = tmp_path / "source", tmp_path / "target"
    (data / "images").mkdir(parents=True)
    for number in range(IMAGES):
        (data / f"images/{number}").write_bytes(os.urandom(IMAGE_BYTES))
    backup = tmp_path / "kept/shop.backup"
    async with databases.clone([ServiceMigrations(one.name, one.migrations) for one in SERVICES]) as url:
        await run(url, data, "backup", "create", backup)
        former = backup.read_bytes()
        unfinished = backup.with_name(UNFINISHED)
        for part in (0.01, 0.5, 0.99):
            process = await start(url, data, "backup", "create", backup)
            await kill_when(process, lambda part=part: size_of(unfinished) > part * len(former))  # type: ignore[misc]
            assert backup.read_bytes() == former
        await run(url, data, "backup", "create", backup)
        assert backup.read_bytes() != former
        assert not unfinished.exists()

    cluster = target / "postgres.unfinished/18"
    for is_reached in (
        cluster.with_name("18.new").exists,
        (target / f"images/{IMAGES // 2}").exists,
        lambda: (target / f"images/{IMAGES - 1}").exists() and len(list(target.glob("images/*"))) == IMAGES,
    ):
        process = await start(None, target, "restore", backup)
        await kill_when(process, is_reached)
        assert not (target / "postgres").exists()
    await run(None, target, "restore", backup)
    for number in range(IMAGES):
        assert (target / f"images/{number}").read_bytes() == (data / f"images/{number}").read_bytes()
    restored = tmp_path / "again.backup"
    await run(None, target, "backup", "create", restored)
    settings = BackupSettings.model_validate({"backup_passphrase": PASSPHRASE})
    rows = (await verify_backup(backup, settings)).manifest.rows
    assert (await verify_backup(restored, settings)).manifest.rows == rows
