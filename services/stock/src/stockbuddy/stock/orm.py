"""The declarative base of the stock service's mapped classes."""

from stockbuddy.chassis.postgres.orm import MappedBase


class Base(MappedBase):
    __abstract__ = True
