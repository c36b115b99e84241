"""The backups in a directory: their names contain the time of their creation (UTC)."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

FORMAT = "stockbuddy-%Y%m%dT%H%M%SZ.backup"
PATTERN = "stockbuddy-????????T??????Z.backup"


def name_backup(at: datetime) -> str:
    return at.strftime(FORMAT)


def created_at(backup: Path) -> datetime:
    return datetime.strptime(backup.name, FORMAT).replace(tzinfo=UTC)


def list_backups(directory: Path) -> Sequence[Path]:
    """The backups in a directory, the newest first."""
    return sorted(directory.glob(PATTERN), reverse=True)


def delete_old_backups(directory: Path, keep: int) -> None:
    """Keep the newest."""
    for path in list_backups(directory)[keep:]:
        path.unlink(missing_ok=True)


def is_backup_due(directory: Path, at: time, now: datetime) -> bool:
    """True if there is none since the last time of day `at` (UTC): the machine may have been off."""
    due = datetime.combine(now.date(), at, UTC)
    if due > now:
        due -= timedelta(days=1)
    newest = next(iter(list_backups(directory)), None)
    return newest is None or newest.name < name_backup(due)
