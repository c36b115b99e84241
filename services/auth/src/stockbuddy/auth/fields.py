"""Field types of auth's request bodies, and their limits."""

from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Any

import email_validator
from email_validator import EmailNotValidError, validate_email
from fastapi import Header, Path
from pydantic import AfterValidator, Field, StrictInt, StringConstraints

from stockbuddy.auth.usernames import MAX_USERNAME_LENGTH, require_acceptable
from stockbuddy.chassis.access.permissions import Permission, sorted_names
from stockbuddy.chassis.fields import MAX_ID, NO_CONTROL_CHARACTERS, InvalidValue, UtcTime
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.smtp import mailbox

MAX_EMAIL_LENGTH = 254
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128
MAX_LOGIN_PASSWORD_LENGTH = 1000
"""Higher than MAX_PASSWORD_LENGTH: a login with a too long password is a failed login."""
MAX_TOKEN_LENGTH = 200

# Reserved domains that shops use, as in `till@shop.local`. email_validator rejects them unless they are removed from
# its module-level list.
INTRANET_DOMAINS = {"local", "localhost", "test"}
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in INTRANET_DOMAINS
]


def normalize_email(address: str) -> str:
    """The address in its stored form; no network look-up. Raises ValueError, also if no server could deliver to it."""
    try:
        normalized = validate_email(address, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as error:
        raise InvalidValue("email_invalid", str(error)) from error
    mailbox(normalized)
    return normalized


def line(max_length: int) -> Any:
    """Constraints of a text on one line, without control characters."""
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=max_length, pattern=NO_CONTROL_CHARACTERS)


Username = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=2, max_length=MAX_USERNAME_LENGTH, pattern=r"^\w[\w.+-]*$"),
]
"""Letters, digits and `. _ + -`; no @, so that no username is equal to an e-mail address."""
NewUsername = Annotated[Username, AfterValidator(require_acceptable)]

EmailAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_EMAIL_LENGTH),
    AfterValidator(normalize_email),
    Field(json_schema_extra={"format": "email"}),
]
FullName = Annotated[str, line(200)]
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""The name of a role, built-in or not; that it exists is checked where it is given."""
Note = Annotated[str, line(500)]
Name = Annotated[str, line(100)]
NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH)]
LoginPassword = Annotated[str, Field(max_length=MAX_LOGIN_PASSWORD_LENGTH)]

UserAgent = Annotated[str | None, Header(include_in_schema=False)]
"""The request's `User-Agent`, stored with the session that a login creates."""
PathId = Annotated[int, Path(ge=1, le=MAX_ID)]
WarehouseIds = Annotated[
    list[Annotated[StrictInt, Field(ge=1, le=MAX_ID)]],
    Field(max_length=1000),
    AfterValidator(lambda ids: sorted(set(ids))),
]
"""The empty list: no warehouse. Strict, because `true` would be the id 1."""


Permissions = Annotated[
    list[Permission],
    Field(max_length=2 * len(Permission)),
    AfterValidator(lambda permissions: sorted_names(frozenset(permissions))),
]


def _normalize_network(text: str) -> str:
    """A network in CIDR notation; an address is a network of one. Raises ValueError."""
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise InvalidValue("network_invalid", f"is not a network: {error}") from error


Networks = Annotated[
    list[Annotated[str, StringConstraints(strip_whitespace=True, max_length=50), AfterValidator(_normalize_network)]],
    Field(min_length=1, max_length=50),
]


def require_future(moment: datetime) -> datetime:
    if moment <= clock.now():
        raise InvalidValue("not_in_future", "must lie in the future")
    return moment


FutureTime = Annotated[UtcTime, AfterValidator(require_future)]
