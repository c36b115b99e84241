"""Restores a backup into an empty installation. Everything that it does can be repeated until the database, which comes
last, has been restored as a whole."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.embedded.backup.archive import DUMP, IMAGES, SECRETS, ArchiveReader
from stockbuddy.embedded.backup.create_backup import CREDENTIALS
from stockbuddy.embedded.backup.database_state import find_differences, restore_options
from stockbuddy.embedded.backup.encryption import decrypted
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.image_bucket import ImageBucket
from stockbuddy.embedded.backup.manifest import Manifest
from stockbuddy.embedded.backup.postgres_clients import PostgresClient
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.notifications.event_log.epochs import start_epoch

RESTORED_SECRETS = "secrets"


class FileTarget:
    """Secrets go to their directory, or to `secrets` in the data directory; images to the image store."""

    def __init__(self, settings: BackupSettings) -> None:
        self.secrets = settings.secrets_directory or settings.data / RESTORED_SECRETS
        self._data = settings.data
        self._images = settings.image_directory
        self._bucket = None if self._images is not None else ImageBucket(settings)

    def write(self, name: str, content: bytes) -> None:
        """Raises BackupFailed for a secret that exists with another content."""
        if name.startswith(IMAGES):
            image = name.removeprefix(IMAGES)
            if self._images is not None:
                _write_file(self._images / image, content)
            elif self._bucket is not None:
                self._bucket.write(image, content)
            return
        secret = name.removeprefix(SECRETS)
        path = self._data / secret if secret == CREDENTIALS else self.secrets / secret
        if path.exists() and path.read_bytes() != content:
            raise BackupFailed(f"{path} exists with another content: move it away, so that it is not lost.")
        _write_file(path, content)


async def restore_backup(path: Path, settings: BackupSettings) -> Manifest:
    """Restore secrets, images and the database, and begin a new epoch of the event log. Raises BackupFailed; then the
    database is as empty as before."""
    manifest = read_manifest(path, settings)
    files = FileTarget(settings)
    if settings.database_url is not None:
        await restore_database(path, settings.database_url, manifest, settings, files)
        return manifest
    directory = settings.data / "postgres"
    if directory.exists():
        raise BackupFailed(f"{directory} exists: restore into another STOCKBUDDY_DATA, or move it away.")
    unfinished = directory.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with await asyncio.to_thread(LocalPostgres.start, unfinished) as server:
        await restore_database(path, server.url, manifest, settings, files)
    unfinished.rename(directory)
    return manifest


async def restore_secrets(path: Path, settings: BackupSettings) -> Manifest:
    """Restore the secrets only, which a database server may need before its start."""
    manifest = read_manifest(path, settings)
    files = FileTarget(settings)
    with _opened(path, settings) as archive:
        for name, content in archive.entries():
            if name.startswith(SECRETS):
                files.write(name, content)
    return manifest


def read_manifest(path: Path, settings: BackupSettings) -> Manifest:
    """Read the whole file, so that a damaged one restores nothing. Raises BackupFailed, also for a newer release."""
    with _opened(path, settings) as archive:
        _require_known_revisions(archive.manifest)
    return archive.manifest


async def restore_database(
    path: Path, url: str, manifest: Manifest, settings: BackupSettings, files: FileTarget | None = None
) -> None:
    """Restore into the empty database at `url`, compare it with the manifest, and begin a new epoch. Without `files`,
    the database only."""
    options = await restore_options(url, manifest)
    await asyncio.to_thread(_restore, path, url, options, settings, files)
    if differences := await find_differences(url, manifest):
        raise BackupFailed(f"The restored database differs from the backup: {'; '.join(differences[:5])}.")
    database = open_database(url, "notifications", pool_size=1)
    try:
        async with database.transaction() as session:
            await start_epoch(session)
    finally:
        await database.close()


def _restore(path: Path, url: str, options: list[str], settings: BackupSettings, files: FileTarget | None) -> None:
    with ExitStack() as stack:
        # pg_restore's block ends last: its input is complete only if the end of the file is authentic.
        dump = stack.enter_context(PostgresClient(url).restore(*options))
        with _opened(path, settings) as archive:
            for name, content in archive.entries():
                if name.startswith(DUMP):
                    dump.write(content)
                elif files is not None:
                    files.write(name, content)


@contextmanager
def _opened(path: Path, settings: BackupSettings) -> Iterator[ArchiveReader]:
    try:
        with path.open("rb") as file, decrypted(file, settings) as stream:
            yield ArchiveReader(stream)
    except FileNotFoundError as error:
        raise BackupFailed(f"{error.filename} does not exist.") from None


def _require_known_revisions(manifest: Manifest) -> None:
    for embedded in SERVICES:
        revision = manifest.revisions[embedded.name]
        if not list((embedded.migrations / "versions").glob(f"{revision}_*.py")):
            raise BackupFailed(
                f"The backup is of release {manifest.release} with a newer schema of {embedded.name} ({revision}): "
                "restore it with that release."
            )


def _write_file(path: Path, content: bytes) -> None:
    """Write atomically, readable by the owner only; an existing file of the same content is kept."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    unfinished.rename(path)
