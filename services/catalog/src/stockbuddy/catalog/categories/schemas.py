"""What clients send and see of categories."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.catalog.wording import Reference, ShortLine

Sort = Literal["name_asc", "name_desc", "created_asc", "created_desc"]


class NewCategory(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: ShortLine
    parent_id: Reference | None = None


class CategoryChange(BaseModel):
    """What is left out stays as it is; a null `parent_id` makes it a top one."""

    model_config = ConfigDict(extra="forbid")

    name: ShortLine = ""
    parent_id: Reference | None = None

    def given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class ShownCategory(BaseModel):
    """`product_count` counts the living products of this very category, not of those below it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    parent_id: int | None
    owner_id: int | None
    product_count: int = Field(default=0)
    version: int
    created_at: datetime
    updated_at: datetime
