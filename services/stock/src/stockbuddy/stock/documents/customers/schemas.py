"""Request and response models of customers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from stockbuddy.chassis.fields import Omittable, RequestBody, text
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.fields import Name, Note, Search

# The excluded characters are those that `text` excludes, too.
_PART = r"[^@\s\x00-\x1f\uFFFE\uFFFF]"
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=rf"^{_PART}+@{_PART}+\.{_PART}+$")
]
Phone = Annotated[str, text(50, min_length=3)]


class CustomerFilter(PageQuery):
    """`search`: part of the name, e-mail address or phone number."""

    search: Search | None = None
    sort_by: Literal["name_asc", "name_desc", "created_asc", "created_desc"] = "name_asc"


class CustomerCreate(RequestBody):
    name: Name
    email: Email | None = None
    phone: Phone | None = None
    address: Note | None = None
    notes: Note | None = None


class CustomerUpdate(RequestBody):
    """Omitted fields keep their value."""

    name: Omittable[Name]
    email: Omittable[Email | None]
    phone: Omittable[Phone | None]
    address: Omittable[Note | None]
    notes: Omittable[Note | None]


class CustomerResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str | None
    phone: str | None
    address: str | None
    notes: str | None
    version: int
    erased_at: datetime | None
    created_at: datetime
    updated_at: datetime
