"""The declarative base of auth's mapped classes."""

from stockbuddy.chassis.postgres.orm import MappedBase


class Base(MappedBase):
    """A row of one of auth's tables; migrations define the tables."""

    __abstract__ = True
