"""Requests and responses of users."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH, EmailAddress, FullName, NewPassword, Username
from stockbuddy.chassis.fields import Omittable, RequestBody
from stockbuddy.chassis.http.tokens import Role


class UserResponse(BaseModel):
    """A user. `warehouse_ids` null: all warehouses."""

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


class RegisterUser(RequestBody):
    username: Username
    email: EmailAddress
    password: NewPassword
    full_name: FullName | None = None

    def words(self) -> list[str | None]:
        """What the password must not consist of."""
        return [self.username, self.email, self.full_name]


class RegisterAdmin(RegisterUser):
    """`setup_token` is required for the first admin only."""

    setup_token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)] | None = None


class ProfileUpdate(RequestBody):
    """Omitted fields keep their value."""

    username: Omittable[Username]
    email: Omittable[EmailAddress]
    full_name: Omittable[FullName | None]
