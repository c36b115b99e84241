"""Command line: `python -m stockbuddy.notifications` serves, `… migrate` upgrades the schema, `… events new-epoch`
begins a new epoch of the event log after a restore that the service cannot recognise, `… events archive` moves former
entries to files, `… consumers add` creates an account for a consumer of events, `… audit verify` verifies an export of
the audit log."""

import asyncio
import sys

from stockbuddy.chassis.http import command_line
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.runtime.settings import load_settings_of_companies_or_exit, only_company
from stockbuddy.notifications import consumers_command
from stockbuddy.notifications.app import MIGRATIONS, SERVICE, NotificationsSettings
from stockbuddy.notifications.archive import command as archive_command
from stockbuddy.notifications.checkpoints import verify_command
from stockbuddy.notifications.event_log.epochs import start_epoch


async def begin_epoch(settings: NotificationsSettings) -> None:
    database = open_database(settings.database_url, SERVICE.name, pool_size=1)
    try:
        async with database.transaction() as session:
            epoch = await start_epoch(session)
    finally:
        await database.close()
    sys.stdout.write(f"The event log is in epoch {epoch}; consumers with earlier cursors receive cursor_ahead.\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["audit"]:
        sys.exit(verify_command.run_command(sys.argv[2:]))  # needs neither settings nor a database
    companies = load_settings_of_companies_or_exit(NotificationsSettings)
    if sys.argv[1:2] == ["events"]:
        settings = only_company(companies)
        with command_line.describing_outages(settings):
            if sys.argv[2:] == ["new-epoch"]:
                asyncio.run(begin_epoch(settings))
            elif sys.argv[2:3] == ["archive"]:
                sys.exit(archive_command.run_command(sys.argv[3:], settings))
            else:
                sys.exit("usage: python -m stockbuddy.notifications events new-epoch | archive DIRECTORY")
    elif sys.argv[1:2] == ["consumers"]:
        consumers_command.run_command(sys.argv[2:], only_company(companies).bus_url)
    else:
        command_line.main(SERVICE, companies, MIGRATIONS)
