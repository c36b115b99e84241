"""How the settings look in requests and answers."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from iso4217 import Currency
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from stockbuddy.auth.fields import NO_CONTROL_CHARACTERS, EmailAddress, left_out
from stockbuddy.contracts.numbers import Quantity

MOST_ALERT_EMAILS = 50
READ_ONLY = ("version", "updated_at")


def known_currency(code: str) -> str:
    """An ISO 4217 code. Raises ValueError."""
    try:
        return str(Currency(code.upper()).code)
    except ValueError as error:
        raise ValueError("is not a currency code of ISO 4217") from error


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def known_timezone(name: str) -> str:
    """A name of the IANA time zone database. Raises ValueError."""
    if name not in _timezones():
        raise ValueError("is not a name of the IANA time zone database")
    return name


CompanyName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)
]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$"), AfterValidator(known_currency)]
TimezoneName = Annotated[str, StringConstraints(max_length=64), AfterValidator(known_timezone)]
Threshold = Annotated[Quantity, Field(ge=0)]
AlertEmails = Annotated[list[EmailAddress], Field(max_length=MOST_ALERT_EMAILS)]


class SettingsView(BaseModel):
    """`negative_stock` is what warehouses do that have no rule of their own; `version` is also the entity tag."""

    model_config = ConfigDict(from_attributes=True)

    company_name: str
    currency: str
    timezone: str
    registration_open: bool
    default_low_stock_threshold: Quantity
    alert_emails: list[str]
    negative_stock: Literal["reject", "allow"]
    version: int
    updated_at: datetime


class ChangeSettings(BaseModel):
    """What is left out stays as it is. A `version` must be the present one; so one may send back what one got."""

    model_config = ConfigDict(extra="forbid")

    company_name: CompanyName = Field(default_factory=left_out)
    currency: CurrencyCode = Field(default_factory=left_out)
    timezone: TimezoneName = Field(default_factory=left_out)
    registration_open: StrictBool = Field(default_factory=left_out)
    default_low_stock_threshold: Threshold = Field(default_factory=left_out)
    alert_emails: AlertEmails = Field(default_factory=left_out)
    negative_stock: Literal["reject", "allow"] = Field(default_factory=left_out)
    version: StrictInt | None = None
    updated_at: datetime | None = None

    def changes(self) -> dict[str, Any]:
        """New values by field."""
        return self.model_dump(exclude_unset=True, exclude=set(READ_ONLY))
