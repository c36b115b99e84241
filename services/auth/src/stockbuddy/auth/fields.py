"""The texts that requests are made of: how long they may be, and what they may hold."""

from datetime import UTC, datetime
from typing import Annotated, Any

import email_validator
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, Field, StrictInt, StringConstraints

LONGEST_EMAIL = 254
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
INTRANET_DOMAINS = {"local", "localhost", "test"}
"""Reserved names that shops use all the same, as `till@shop.local`; the library has us say so in its own list."""
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in INTRANET_DOMAINS
]
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"


def valid_email(address: str) -> str:
    """The address as it is kept, judged without asking the network. Raises ValueError."""
    try:
        return validate_email(address, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


Username = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=64, pattern=r"^\w[\w.+-]*$")
]
"""Letters, digits and `. _ + -`; no @, so that no username looks like somebody's address."""

EmailAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_EMAIL),
    AfterValidator(valid_email),
    Field(json_schema_extra={"format": "email"}),
]
FullName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)
]
NewPassword = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]

Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=NO_CONTROL_CHARACTERS)
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=NO_CONTROL_CHARACTERS)
]
LARGEST_ID = 2**63 - 1
WarehouseIds = Annotated[list[Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]], Field(max_length=1000)]
"""No warehouse at all is an answer too: the empty list. Strict, lest `true` should open warehouse 1."""
LAST_YEAR = 9000


def in_the_future(moment: datetime) -> datetime:
    """In UTC."""
    if moment <= datetime.now(UTC):
        raise ValueError("must lie in the future")
    if moment.year > LAST_YEAR:
        raise ValueError("is not a date of this epoch")
    return moment.astimezone(UTC)


FutureTime = Annotated[AwareDatetime, AfterValidator(in_the_future)]


def left_out() -> Any:
    """The default of what a partial body may leave out, but not set to null: only fields that were set are read."""
    return None
