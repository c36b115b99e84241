"""`python -m stockbuddy.stock` serves; `python -m stockbuddy.stock migrate` upgrades the schema."""

from stockbuddy.chassis.http import command_line
from stockbuddy.chassis.runtime.settings import load_settings_of_companies_or_exit
from stockbuddy.stock.app import MIGRATIONS, SERVICE, StockSettings

command_line.main(SERVICE, load_settings_of_companies_or_exit(StockSettings), MIGRATIONS)
