"""Command line: `python -m stockbuddy.notifications` serves, `… migrate` upgrades the schema."""

from stockbuddy.chassis.http import command_line
from stockbuddy.notifications.app import MIGRATIONS, SERVICE, NotificationsSettings

if __name__ == "__main__":
    command_line.main(SERVICE, NotificationsSettings(), MIGRATIONS)
