"""The environment of the stock service: nothing beyond what every service has."""

from stockbuddy.chassis.runtime.settings import ServiceSettings


class StockSettings(ServiceSettings):
    pass
