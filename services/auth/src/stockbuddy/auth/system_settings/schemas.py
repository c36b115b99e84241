"""Requests and responses of the settings."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from iso4217 import Currency
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from stockbuddy.auth.fields import EmailAddress, RoleName, line
from stockbuddy.chassis.fields import InvalidValue, Omittable, RequestBody
from stockbuddy.contracts.numbers import Quantity

MAX_ALERT_EMAILS = 50
READ_ONLY = ("version", "updated_at")


def require_currency(code: str) -> str:
    """A code of ISO 4217, in capitals. Raises ValueError."""
    try:
        return str(Currency(code.upper()).code)
    except ValueError as error:
        raise InvalidValue("currency_unknown", "is not a currency code of ISO 4217") from error


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def require_timezone(name: str) -> str:
    """A name of the IANA time zone database. Raises ValueError."""
    if name not in _timezones():
        raise InvalidValue("time_zone_unknown", "is not a name of the IANA time zone database")
    return name


CompanyName = Annotated[str, line(200)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$"), AfterValidator(require_currency)]
TimezoneName = Annotated[str, StringConstraints(max_length=64), AfterValidator(require_timezone)]
Threshold = Annotated[Quantity, Field(ge=0)]
AlertEmails = Annotated[list[EmailAddress], Field(max_length=MAX_ALERT_EMAILS)]


Roles = Annotated[list[RoleName], Field(max_length=200), AfterValidator(lambda roles: sorted(set(roles)))]


class SettingsResponse(BaseModel):
    """`negative_stock`: applies to warehouses without a value of their own. `version` is also the entity tag."""

    model_config = ConfigDict(from_attributes=True)

    company_name: str
    currency: str
    timezone: str
    registration_open: bool
    default_low_stock_threshold: Quantity
    alert_emails: list[str]
    negative_stock: Literal["reject", "allow"]
    registration_role: Annotated[str, Field(description="Role of users who register themselves.")]
    second_factor_roles: Annotated[list[str], Field(description="Roles whose users must log in with a second factor.")]
    version: int
    updated_at: datetime


class CompanyResponse(BaseModel):
    """`currency`: ISO 4217. `timezone`: of the company's days, as `Europe/Berlin`."""

    model_config = ConfigDict(from_attributes=True)

    company_name: str
    currency: str
    timezone: str


class SettingsUpdate(RequestBody):
    """Omitted fields keep their value. `version`, if given, must be the current one, and `updated_at` is ignored, so
    that a client may send back a response."""

    company_name: Omittable[CompanyName]
    currency: Omittable[CurrencyCode]
    timezone: Omittable[TimezoneName]
    registration_open: Omittable[StrictBool]
    default_low_stock_threshold: Omittable[Threshold]
    alert_emails: Omittable[AlertEmails]
    negative_stock: Omittable[Literal["reject", "allow"]]
    registration_role: Annotated[Omittable[RoleName], Field(description="Role of users who register themselves.")]
    second_factor_roles: Annotated[
        Omittable[Roles],
        Field(
            description="Roles whose users must log in with a second factor. Who has none sets one up at the next "
            "login; sessions without one end at their next refresh."
        ),
    ]
    version: StrictInt | None = None
    updated_at: datetime | None = None

    def changes(self) -> dict[str, Any]:
        """The fields to change."""
        return {name: value for name, value in self.sent_fields().items() if name not in READ_ONLY}
