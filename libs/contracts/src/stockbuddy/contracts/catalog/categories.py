"""Events of product categories."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class CategoryState(Event):
    """A category as it stands after the change; `version` grows by one with each."""

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
    """Products carry the name of their category: a reader of products that shows it takes it over from here."""

    type: ClassVar[str] = "catalog.category.updated"


class CategoryDeleted(CategoryState):
    type: ClassVar[str] = "catalog.category.deleted"
