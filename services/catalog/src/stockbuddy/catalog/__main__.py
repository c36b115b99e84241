"""`python -m stockbuddy.catalog` serves; see `command_line` for its commands."""

from stockbuddy.catalog.app import MIGRATIONS, SERVICE, CatalogSettings
from stockbuddy.chassis.http import command_line

command_line.main(SERVICE, CatalogSettings(), MIGRATIONS)
