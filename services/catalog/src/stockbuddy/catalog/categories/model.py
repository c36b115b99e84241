"""The mapped class of categories, and their events."""

from typing import TypeVar

from sqlalchemy.orm import Mapped

from stockbuddy.catalog.orm import Base, VersionedRecord
from stockbuddy.contracts.catalog import CategoryState

State = TypeVar("State", bound=CategoryState)


class Category(VersionedRecord, Base):
    """Names of active categories are unique, without regard to case."""

    __tablename__ = "category"

    parent_id: Mapped[int | None]

    def to_event(self, event_type: type[State]) -> State:
        """The event with the category's current state."""
        return event_type(
            category_id=self.id,
            version=self.version,
            name=self.name,
            parent_id=self.parent_id,
            owner_id=self.owner_id,
            deleted=self.deleted_at is not None,
        )
