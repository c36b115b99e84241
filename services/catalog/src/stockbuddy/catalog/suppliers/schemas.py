"""What clients send and see of suppliers."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from stockbuddy.catalog.wording import Days, Line, ProseOrBlank, ShortLineOrBlank, may_be_blank

Sort = Literal["name_asc", "name_desc", "created_asc", "created_desc"]

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("is not an e-mail address")
    return text


Email = Annotated[Line, AfterValidator(_address)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    contact_email: Annotated[Email | None, may_be_blank(Email)] = None
    phone_number: ShortLineOrBlank = None
    address: ProseOrBlank = None
    lead_time_days: Days | None = None

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
