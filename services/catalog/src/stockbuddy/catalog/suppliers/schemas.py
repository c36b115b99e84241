"""Requests and responses of suppliers."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stockbuddy.catalog.fields import (
    MultiLineTextOrBlank,
    NameOrCreatedSort,
    SearchText,
    SingleLine100OrBlank,
    SingleLine255,
    blank_allowed,
)
from stockbuddy.chassis.fields import NOT_BOOLEAN, Id, InvalidValue, Omittable, RequestBody
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.numbers import NUMBER_LIMITS

MAX_LEAD_TIME_DAYS = 3650

_EMAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _require_email_address(text: str) -> str:
    if not _EMAIL_ADDRESS.fullmatch(text):
        raise InvalidValue("email_invalid", "is not an e-mail address")
    return text


EmailAddress = Annotated[SingleLine255, AfterValidator(_require_email_address)]
LeadTimeDays = Annotated[int, Field(ge=0, le=MAX_LEAD_TIME_DAYS), NOT_BOOLEAN, NUMBER_LIMITS]


class SupplierFilter(PageQuery):
    """`search` is a part of the name, the e-mail address or the phone number."""

    search: SearchText | None = None
    owner_id: Id | None = None
    sort_by: NameOrCreatedSort = "name_asc"


class _OptionalFields(RequestBody):
    contact_email: Omittable[Annotated[EmailAddress | None, blank_allowed(EmailAddress)]]
    phone_number: Omittable[SingleLine100OrBlank]
    address: Omittable[MultiLineTextOrBlank]
    lead_time_days: Omittable[LeadTimeDays | None]


class SupplierCreate(_OptionalFields):
    name: SingleLine255


class SupplierUpdate(_OptionalFields):
    """Absent fields keep their values; null clears a nullable field."""

    name: Omittable[SingleLine255]


class SupplierResponse(BaseModel):
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
