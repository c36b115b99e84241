"""What clients send and see of suppliers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from stockbuddy.catalog.wording import Line, Prose, ShortLine

Sort = Literal["name_asc", "name_desc", "created_asc", "created_desc"]
Email = Annotated[Line, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    contact_email: Email | Literal[""] | None = None
    phone_number: ShortLine | Literal[""] | None = None
    address: Prose | None = None
    lead_time_days: Annotated[int, Field(ge=0, le=3650)] | None = None

    @field_validator("contact_email", "phone_number", "address", mode="before")
    @classmethod
    def blank_is_none(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    def given(self) -> dict[str, Any]:
        """What the client said."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewSupplier(_Fields):
    name: Line


class SupplierChange(_Fields):
    """What is left out stays as it is; null clears what may be empty."""

    name: Line = ""


class ShownSupplier(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    contact_email: str | None
    phone_number: str | None
    address: str | None
    lead_time_days: int | None
    owner_id: int | None
    version: int
    created_at: datetime
    updated_at: datetime
