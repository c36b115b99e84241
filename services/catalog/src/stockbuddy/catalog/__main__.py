"""`python -m stockbuddy.catalog` serves; see `command_line` for its commands."""

from stockbuddy.catalog.app import MIGRATIONS, SERVICE, CatalogSettings
from stockbuddy.chassis.http import command_line
from stockbuddy.chassis.runtime.settings import load_settings_of_companies_or_exit

command_line.main(SERVICE, load_settings_of_companies_or_exit(CatalogSettings), MIGRATIONS)
