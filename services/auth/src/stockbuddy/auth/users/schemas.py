"""How users look in requests and answers."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from stockbuddy.auth.fields import EmailAddress, FullName, NewPassword, Username
from stockbuddy.chassis.identity import Role


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
