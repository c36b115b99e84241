"""Customers on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from stockbuddy.chassis.fields import RequestBody
from stockbuddy.stock.fields import Name, Note

Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+$")
]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=50, pattern=r"^[^\x00]*$")]


class CustomerCreate(RequestBody):
    name: Name
    email: Email | None = None
    phone: Phone | None = None
    address: Note | None = None
    notes: Note | None = None


class CustomerUpdate(RequestBody):
    """What is left out stays as it is; null empties it, except the name."""

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    address: Note | None = None
    notes: Note | None = None


class CustomerResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str | None
    phone: str | None
    address: str | None
    notes: str | None
    version: int
    created_at: datetime
    updated_at: datetime
