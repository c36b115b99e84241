"""The catalogue's own settings, beside those that every service shares."""

from decimal import Decimal

from pydantic import Field

from stockbuddy.chassis.settings import ServiceSettings


class CatalogSettings(ServiceSettings):
    """`default_low_stock_threshold` is that of products without one of their own."""

    default_low_stock_threshold: Decimal = Field(default=Decimal(10), ge=0)
