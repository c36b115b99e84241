"""Creates a backup: written under another name, synchronised and renamed, so that a file with the name of a backup is
complete however the process ends."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stockbuddy.embedded.backup.archive import ArchiveWriter
from stockbuddy.embedded.backup.database_state import Snapshot, open_snapshot
from stockbuddy.embedded.backup.encryption import encrypted
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.image_bucket import ImageBucket
from stockbuddy.embedded.backup.manifest import Manifest
from stockbuddy.embedded.backup.postgres_clients import PostgresClient
from stockbuddy.embedded.backup.settings import BackupSettings

CREDENTIALS = "credentials.json"
UNFINISHED = ".stockbuddy-backup.unfinished"


async def create_backup(url: str, path: Path, settings: BackupSettings) -> Manifest:
    """Write the backup of a running or stopped installation whose database is at `url`. Raises BackupFailed; then a
    former file of this name is unchanged."""
    with unfinished_file(path) as file:
        async with open_snapshot(url, settings.image_store) as snapshot:
            await asyncio.to_thread(_write, file, url, snapshot, settings)
    return snapshot.manifest


@contextmanager
def unfinished_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the name `path` when the block ends without an error. One for each directory: what a killed
    process leaves is overwritten. Raises BackupFailed if another process writes it, or it can't be written."""
    unfinished = path.with_name(UNFINISHED)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(file.fileno())
            unfinished.rename(path)
        _synchronise(path.parent)
    except BlockingIOError:
        raise BackupFailed(f"Another process writes a backup to {path.parent}: wait until it ends.") from None
    except OSError as error:
        raise BackupFailed(f"The backup {path} fails: {error}.") from None


def _write(file: BinaryIO, url: str, snapshot: Snapshot, settings: BackupSettings) -> None:
    with encrypted(file, settings) as stream:
        archive = ArchiveWriter(stream)
        try:
            _fill(archive, url, snapshot, settings)
        except BaseException:
            archive.abandon()
            raise
        archive.close()


def _fill(archive: ArchiveWriter, url: str, snapshot: Snapshot, settings: BackupSettings) -> None:
    archive.add_manifest(snapshot.manifest)
    for name, content in _read_secrets(settings):
        archive.add_secret(name, content)
    if settings.image_directory is not None:
        archive.add_images(settings.image_directory)
    else:
        for name, content in ImageBucket(settings).files():
            archive.add_image(name, content)
    with PostgresClient(url).dump(snapshot.id) as dump:
        archive.add_dump(dump)


def _read_secrets(settings: BackupSettings) -> Iterator[tuple[str, bytes]]:
    """The files of the directory of secrets, without the backup's own key; and what only the environment or the data
    directory has."""
    names = set()
    if settings.secrets_directory is not None:
        for path in sorted(settings.secrets_directory.iterdir()):
            # The address of the database and the key of backups are the installation's.
            if path.is_file() and not path.name.startswith((".", "backup_", "database_url")):
                names.add(path.name)
                yield path.name, path.read_bytes()
    for name in ("secret_key", "gateway_secret"):
        if name not in names and (value := os.environ.get(name.upper())):
            yield name, value.encode()
    if (credentials := settings.data / CREDENTIALS).is_file():
        yield CREDENTIALS, credentials.read_bytes()


def _synchronise(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
