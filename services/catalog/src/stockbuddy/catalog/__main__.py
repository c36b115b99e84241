"""`python -m stockbuddy.catalog` serves; `… migrate` brings the schema up to date."""

from stockbuddy.catalog.app import MIGRATIONS, SERVICE, CatalogSettings
from stockbuddy.chassis import command

command.main(SERVICE, CatalogSettings(), MIGRATIONS)
