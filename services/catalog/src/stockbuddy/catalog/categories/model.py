"""A category: its name is unique among the living, and it may stand below another."""

from typing import TypeVar

from sqlalchemy.orm import Mapped

from stockbuddy.catalog.record import Record
from stockbuddy.contracts.catalog import CategoryState

State = TypeVar("State", bound=CategoryState)


class Category(Record):
    __tablename__ = "category"

    parent_id: Mapped[int | None]

    def state(self, event: type[State]) -> State:
        """An event of `event`'s class with the category as it stands."""
        return event(
            category_id=self.id,
            version=self.version,
            name=self.name,
            parent_id=self.parent_id,
            owner_id=self.owner_id,
            deleted=self.deleted_at is not None,
        )
