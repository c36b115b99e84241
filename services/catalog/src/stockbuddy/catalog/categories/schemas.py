"""Requests and responses of categories."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from stockbuddy.catalog.fields import NameOrCreatedSort, SearchText, SingleLine100
from stockbuddy.chassis.fields import Id, Omittable, RequestBody
from stockbuddy.chassis.http.pagination import PageQuery


class CategoryFilter(PageQuery):
    """`search` is a part of the name."""

    search: SearchText | None = None
    parent_id: Id | None = None
    sort_by: NameOrCreatedSort = "name_asc"


class CategoryCreate(RequestBody):
    name: SingleLine100
    parent_id: Id | None = None


class CategoryUpdate(RequestBody):
    """Absent fields keep their values; a null `parent_id` makes it a top-level category."""

    name: Omittable[SingleLine100]
    parent_id: Omittable[Id | None]


class CategoryResponse(BaseModel):
    """`product_count`: the products of this category that are not deleted, without those of categories below it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    parent_id: int | None
    owner_id: int | None
    product_count: int = 0
    version: int
    created_at: datetime
    updated_at: datetime
