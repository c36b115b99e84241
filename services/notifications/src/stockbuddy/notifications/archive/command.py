"""`events archive DIRECTORY --older-than DAYS`: moves former periods of the event log to files."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.archive.archive_log import archive_log
from stockbuddy.notifications.archive.errors import ArchiveFailed
from stockbuddy.notifications.settings import NotificationsSettings

MIN_DAYS = 90
"""The log recognises an event that it receives again; inboxes keep messages for up to 37 days."""
FAILED = 1


def run_command(arguments: Sequence[str], settings: NotificationsSettings) -> int:
    """Returns 0 if every former period that is old enough is in the directory, otherwise 1."""
    parser = argparse.ArgumentParser(prog="stockbuddy events archive", description=__doc__)
    parser.add_argument("directory", type=_directory, help="an existing directory for the files")
    parser.add_argument(
        "--older-than", type=_days, required=True, metavar="DAYS", help=f"at least {MIN_DAYS}: keep newer periods"
    )
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_archive(settings, options.directory, options.older_than))
    except (ArchiveFailed, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return 0


def _directory(value: str) -> Path:
    path = Path(value)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{value} is not a directory")
    return path


def _days(value: str) -> int:
    days = int(value)
    if days < MIN_DAYS:
        raise argparse.ArgumentTypeError(f"at least {MIN_DAYS}")
    return days


async def _archive(settings: NotificationsSettings, directory: Path, days: int) -> None:
    database = open_database(settings.database_url, "notifications", pool_size=1)
    publishes = settings.external_events and settings.bus_url is not None
    archived = 0
    try:
        async for period, path in archive_log(
            database, directory, clock.now() - timedelta(days=days), publishes=publishes
        ):
            archived += 1
            sys.stdout.write(f"entries {period.first} to {period.last}: {path} ({path.stat().st_size:,} bytes)\n")
    finally:
        await database.close()
    if not archived:
        sys.stdout.write("No former period of the event log is that old.\n")
