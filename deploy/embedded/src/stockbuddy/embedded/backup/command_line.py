"""The commands `stockbuddy backup` and `stockbuddy restore`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.settings import InvalidSettings, load_settings_of_companies, only_company
from stockbuddy.embedded.backup.backup_metrics import record_verification, serving_metrics
from stockbuddy.embedded.backup.create_backup import create_backup
from stockbuddy.embedded.backup.directory import delete_old_backups, name_backup
from stockbuddy.embedded.backup.encryption import create_key_file
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.manifest import Manifest
from stockbuddy.embedded.backup.restore_backup import FileTarget, restore_backup, restore_secrets
from stockbuddy.embedded.backup.schedule import daily_backups
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.backup.verify_backup import verify_backup
from stockbuddy.embedded.company_databases import with_company
from stockbuddy.embedded.errors import StartFailed
from stockbuddy.embedded.exit_codes import FAILED, INVALID_SETTINGS
from stockbuddy.embedded.signals import on_stop_signal
from stockbuddy.local_servers.postgres import LocalPostgres, LocalPostgresError
from stockbuddy.local_servers.server_discovery import find_running_url

NO_DIRECTORY = "BACKUP_DIRECTORY: set the directory of the backups, or name a file: stockbuddy backup create FILE"


def main(arguments: Sequence[str]) -> int:
    # A signal ends the process at once, also in a thread that writes: an unfinished file is no backup.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = _parser().parse_args(arguments)
    configure_logging(level="error", output="console")
    try:
        settings = only_company(load_settings_of_companies(BackupSettings))
        asyncio.run(options.run(options, settings))
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return INVALID_SETTINGS
    except (BackupFailed, StartFailed, LocalPostgresError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stockbuddy", description=__doc__)
    commands = parser.add_subparsers(required=True)
    backup = commands.add_parser("backup", help="back up database, images and secrets into BACKUP_DIRECTORY")
    backup.set_defaults(run=_create, file=None)
    actions = backup.add_subparsers()
    for name, run, text in (
        ("create", _create, "back up into a file"),
        ("verify", _verify, "restore a backup into a temporary PostgreSQL and compare"),
        ("new-key", _create_key, "write a new key to a file, and print its recipient"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("file", type=Path)
        action.set_defaults(run=run)
    schedule = actions.add_parser("schedule", help="back up every day at BACKUP_TIME")
    schedule.set_defaults(run=_schedule)
    restore = commands.add_parser("restore", help="restore a backup into an empty installation")
    restore.add_argument("file", type=Path)
    restore.add_argument("--secrets-only", action="store_true", help="restore the secrets, not database and images")
    restore.set_defaults(run=_restore)
    return parser


async def _create(options: argparse.Namespace, settings: BackupSettings) -> None:
    path: Path | None = options.file
    if path is None:
        if settings.backup_directory is None:
            raise InvalidSettings([NO_DIRECTORY])
        path = settings.backup_directory / name_backup(datetime.now(UTC))
    with _database(settings) as url:
        manifest = await create_backup(url, path, settings)
    if options.file is None:
        delete_old_backups(path.parent, settings.backup_keep)
    print(f"{path}: {_describe(manifest)}, {path.stat().st_size:,} bytes", file=sys.stderr)


async def _verify(options: argparse.Namespace, settings: BackupSettings) -> None:
    verified = await verify_backup(options.file, settings)
    if settings.backup_directory is not None and options.file.parent.samefile(settings.backup_directory):
        record_verification(options.file)
    print(
        f"{options.file} is intact: {_describe(verified.manifest)}; every table has its number of rows, the ledger is "
        f"consistent, and all {verified.entries:,} entries of the event log are unaltered",
        file=sys.stderr,
    )


async def _restore(options: argparse.Namespace, settings: BackupSettings) -> None:
    restore = restore_secrets if options.secrets_only else restore_backup
    manifest = await restore(options.file, settings)
    part = "secrets" if options.secrets_only else "database and images"
    folder = FileTarget(settings).secrets
    secrets = f"Secrets: {folder}" if folder.exists() else "The backup has no secrets"
    print(f"Restored: {part} of {_describe(manifest)}. {secrets}.", file=sys.stderr)


async def _schedule(_: argparse.Namespace, settings: BackupSettings) -> None:
    if settings.backup_directory is None:
        raise InvalidSettings([NO_DIRECTORY])
    stopping = asyncio.Event()
    on_stop_signal(stopping.set)
    with _database(settings) as url, serving_metrics(settings.host, settings.backup_metrics_port):
        async with daily_backups(settings, url):
            await stopping.wait()


async def _create_key(options: argparse.Namespace, _: BackupSettings) -> None:
    print(create_key_file(options.file))


@contextmanager
def _database(settings: BackupSettings) -> Iterator[str]:
    """The operator's database, or the private one: of the running system, or started for the backup."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    directory = settings.data / "postgres"
    if (url := find_running_url(directory)) is not None:
        yield with_company(url, settings.company)
        return
    if not directory.exists():
        raise BackupFailed(f"{directory} does not exist: set STOCKBUDDY_DATA or DATABASE_URL.")
    with LocalPostgres.start(directory) as server:
        yield with_company(server.url, settings.company)


def _describe(manifest: Manifest) -> str:
    rows, position = sum(manifest.rows.values()), manifest.log_head.position
    at = f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{at}, release {manifest.release}, {rows:,} rows, event log up to {position:,}"
