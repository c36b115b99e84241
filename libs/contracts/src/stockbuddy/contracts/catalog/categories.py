"""Events of product categories."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class CategoryState(Event):
    """A category after the change; `version` increases by one with each change."""

    subject_template: ClassVar[str] = "category/{category_id}"
    sequence_field: ClassVar[str | None] = "version"

    category_id: int
    version: int
    name: str
    parent_id: int | None = None
    owner_id: int | None = None
    deleted: bool = False


class CategoryCreated(CategoryState):
    type: ClassVar[str] = "catalog.category.created"


class CategoryUpdated(CategoryState):
    """Product events carry their category's name: a consumer that stores it must update it with this event."""

    type: ClassVar[str] = "catalog.category.updated"


class CategoryDeleted(CategoryState):
    type: ClassVar[str] = "catalog.category.deleted"


class CategoryRepublished(CategoryState):
    """The category has not changed. An upgrade publishes the state of all categories for copies that lack a part."""

    type: ClassVar[str] = "catalog.category.republished"
