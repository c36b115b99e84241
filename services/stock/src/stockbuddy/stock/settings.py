"""The environment of the stock service: nothing beyond what every service has."""

from stockbuddy.chassis.settings import ServiceSettings


class StockSettings(ServiceSettings):
    pass
