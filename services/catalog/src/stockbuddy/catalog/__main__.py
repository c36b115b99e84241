"""`python -m stockbuddy.catalog` serves; `… migrate` brings the schema up to date."""

from stockbuddy.catalog.app import MIGRATIONS, SERVICE, CatalogSettings
from stockbuddy.chassis.http import command_line

command_line.main(SERVICE, CatalogSettings(), MIGRATIONS)
