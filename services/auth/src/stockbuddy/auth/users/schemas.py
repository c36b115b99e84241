"""How users look in requests and answers."""

from datetime import datetime
from typing import Annotated, Any

import email_validator
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.json_schema import SkipJsonSchema

from stockbuddy.chassis.identity import Role

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
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_EMAIL), AfterValidator(valid_email)
]
FullName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)
]
NewPassword = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class UserView(BaseModel):
    """A user as they see themselves and as admins see them."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    email: str
    full_name: str | None
    role: Role
    warehouse_ids: list[int] | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class RegisterUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: Username
    email: EmailAddress
    password: NewPassword
    full_name: FullName | None = None


class RegisterAdmin(RegisterUser):
    """`setup_token` is needed for the first admin alone."""

    setup_token: Annotated[str, Field(max_length=200)] | None = None


class ChangeProfile(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    username: Username | SkipJsonSchema[None] = None
    email: EmailAddress | SkipJsonSchema[None] = None
    full_name: FullName | None = None

    @field_validator("username", "email", mode="before")
    @classmethod
    def refuse_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("may be left out, but not be null")
        return value
