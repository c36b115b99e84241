"""Daily backups into a directory, of which the newest are kept."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import structlog

from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.companies import for_company
from stockbuddy.chassis.runtime.settings import load_settings_of_companies
from stockbuddy.embedded.backup.backup_metrics import BackupMetrics
from stockbuddy.embedded.backup.directory import is_backup_due
from stockbuddy.embedded.backup.settings import BackupSettings

log = structlog.get_logger(__name__)

POLL_INTERVAL_SECONDS = 30.0
RETRY_DELAY_SECONDS = 600


class DailyBackup:
    """Creates a backup in a process of its own when one is due. A failed one is repeated after 10 minutes."""

    def __init__(self, directory: Path, at: time, database_url: str, company: str | None = None) -> None:
        self._directory = directory
        self.metrics = BackupMetrics(directory)
        self._at = at
        self._environment = {**os.environ, "DATABASE_URL": database_url, "COMPANY": company or ""}
        self._retry_at: datetime | None = None

    async def is_due(self) -> bool:
        now = datetime.now(UTC)
        return (self._retry_at is None or now >= self._retry_at) and is_backup_due(self._directory, self._at, now)

    async def run(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stockbuddy.embedded.backup", "backup"),
            env=self._environment,
            start_new_session=True,  # Ctrl-C reaches this process only
        )
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        self._retry_at = None
        if code != 0:
            self.metrics.failures += 1
            self._retry_at = datetime.now(UTC) + timedelta(seconds=RETRY_DELAY_SECONDS)
            log.error("backup.failed", code=code, retry_seconds=RETRY_DELAY_SECONDS)


@asynccontextmanager
async def daily_backups(settings: BackupSettings, database_url: str) -> AsyncIterator[None]:
    """Create backups during the block, if the settings name a directory."""
    if settings.backup_directory is None:
        yield
        return
    backup = DailyBackup(settings.backup_directory, settings.backup_time, database_url, settings.company)
    worker = PollingWorker("backup", backup.run, interval_seconds=POLL_INTERVAL_SECONDS, is_due=backup.is_due)
    with backup.metrics.registered():
        async with worker:
            yield


@asynccontextmanager
async def backups_of_companies(database_url: str) -> AsyncIterator[None]:
    """Create the backups of each company during the block. `database_url` has `{company}` for several."""
    async with AsyncExitStack() as stack:
        for settings in load_settings_of_companies(BackupSettings):
            url = for_company(database_url, settings.company)
            await stack.enter_async_context(daily_backups(settings, url))
        yield
