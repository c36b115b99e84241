"""Verifies a backup by restoring it into a temporary PostgreSQL: row counts and log head are those of the backup, the
ledger and the audit chain are intact."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.manifest import Manifest
from stockbuddy.embedded.backup.restore_backup import read_manifest, restore_database
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.service_registry import migrate_all
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.notifications.audit.verification import verify_chain
from stockbuddy.stock.insights.integrity.queries import check_integrity


@dataclass(frozen=True, slots=True)
class VerifiedBackup:
    """`entries` of the event log have been verified."""

    manifest: Manifest
    entries: int


async def verify_backup(path: Path, settings: BackupSettings) -> VerifiedBackup:
    """Raises BackupFailed with what differs. Needs room for the restored database in the directory for temporary
    files."""
    manifest = read_manifest(path, settings)
    with (
        tempfile.TemporaryDirectory(prefix="stockbuddy-verify-") as folder,
        await asyncio.to_thread(LocalPostgres.start, Path(folder, "postgres")) as server,
    ):
        await restore_database(path, server.url, manifest, settings)
        await migrate_all(server.url)
        return VerifiedBackup(manifest, await _verify_contents(server.url))


async def _verify_contents(url: str) -> int:
    stock, notifications = open_database(url, "stock", pool_size=1), open_database(url, "notifications", pool_size=1)
    try:
        async with stock.reading() as session:
            integrity = await check_integrity(session, by_fifo=True)
        chain = await verify_chain(notifications)
    finally:
        await stock.close()
        await notifications.close()
    if not integrity.ok:
        count = len(integrity.differences) + len(integrity.value_differences)
        raise BackupFailed(f"The ledger of the backup has {count} differences: see GET /stock/integrity.")
    if not chain.ok:
        raise BackupFailed(f"The event log of the backup is altered at position {chain.first_bad_id}.")
    return chain.entries
