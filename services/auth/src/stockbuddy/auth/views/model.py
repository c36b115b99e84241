"""A saved view of a list."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import ViewState

State = TypeVar("State", bound=ViewState)


class SavedView(Base):
    """`path` names the list, `query` its filters, sorting and columns. A unique index on owner, path and name ignores
    case."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    path: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    is_shared: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def touch(self) -> None:
        """Start a new version after a change."""
        self.version += 1
        self.updated_at = clock.now()

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the view's state; `fields` are those that the event adds."""
        return event(
            view_id=self.id,
            version=self.version,
            owner_id=self.owner_id,
            path=self.path,
            name=self.name,
            query=self.query,
            is_shared=self.is_shared,
            **fields,
        )
