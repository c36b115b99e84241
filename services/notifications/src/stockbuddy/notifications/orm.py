"""Base of the mapped classes of this service."""

from stockbuddy.chassis.postgres.orm import MappedBase


class Base(MappedBase):
    __abstract__ = True
