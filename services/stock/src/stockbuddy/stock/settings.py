"""The settings of the stock service: those that every service has."""

from stockbuddy.chassis.runtime.settings import ServiceSettings


class StockSettings(ServiceSettings):
    pass
