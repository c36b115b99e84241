"""What every mapped class of auth derives from."""

from sqlalchemy.orm import DeclarativeBase


class Record(DeclarativeBase):
    """A row of one of auth's tables; the tables themselves are made by the migrations."""
