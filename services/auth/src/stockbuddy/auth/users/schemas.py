"""How users look in requests and answers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.fields import EmailAddress, FullName, NewPassword, Username, left_out
from stockbuddy.chassis.http.tokens import Role


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

    username: Username = Field(default_factory=left_out)
    email: EmailAddress = Field(default_factory=left_out)
    full_name: FullName | None = None
