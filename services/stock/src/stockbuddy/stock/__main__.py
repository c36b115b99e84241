"""`python -m stockbuddy.stock` serves; `python -m stockbuddy.stock migrate` upgrades the schema."""

from stockbuddy.chassis.http import command_line
from stockbuddy.stock.app import MIGRATIONS, SERVICE, StockSettings

command_line.main(SERVICE, StockSettings(), MIGRATIONS)
