"""`python -m stockbuddy.notifications` serves; `… migrate` upgrades the schema."""

from stockbuddy.chassis import command
from stockbuddy.notifications.app import MIGRATIONS, SERVICE, NotificationsSettings

if __name__ == "__main__":
    command.main(SERVICE, NotificationsSettings(), MIGRATIONS)
