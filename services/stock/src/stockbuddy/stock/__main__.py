"""`python -m stockbuddy.stock` serves; `python -m stockbuddy.stock migrate` upgrades the schema."""

from stockbuddy.chassis import command
from stockbuddy.stock.app import MIGRATIONS, SERVICE, StockSettings

command.main(SERVICE, StockSettings(), MIGRATIONS)
