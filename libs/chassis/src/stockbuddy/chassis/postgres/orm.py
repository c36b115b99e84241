"""The declarative base of a service's mapped classes. Migrations define the tables."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, Text
from sqlalchemy.orm import DeclarativeBase

TIMESTAMP = DateTime(timezone=True)


class MappedBase(DeclarativeBase):
    """Derive one abstract `Base` per service; columns take their types from the annotations."""

    __abstract__ = True

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        Decimal: Numeric(18, 4),
        datetime: TIMESTAMP,
    }

    def __init_subclass__(cls, **options: Any) -> None:
        if MappedBase in cls.__bases__:
            # In one process several services map tables of the same name.
            cls.metadata = MetaData()
        super().__init_subclass__(**options)
