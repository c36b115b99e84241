"""Requests and responses of users."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH, EmailAddress, FullName, NewPassword, NewUsername
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import RequestBody
from stockbuddy.contracts.numbers import Percentage


class UserResponse(BaseModel):
    """A user. `pending_email`: the address that replaces `email` when it is confirmed. `warehouse_ids` null: all
    warehouses."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    email: str
    email_confirmed: bool
    pending_email: str | None
    full_name: str | None
    role: str
    is_admin: bool
    is_salesperson: bool
    warehouse_ids: list[int] | None
    is_active: bool
    has_second_factor: Annotated[
        bool, Field(description="Whether the user has set up a second factor, which logins then require.")
    ]
    erased_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ProfileResponse(UserResponse):
    """One's own user, with what its role allows. `max_discount_percent`: on the list price; null: no limit."""

    permissions: list[Permission]
    max_discount_percent: Percentage | None


class RegisterUser(RequestBody):
    username: NewUsername
    email: EmailAddress
    password: NewPassword
    full_name: FullName | None = None


class RegisterAdmin(RequestBody):
    """Default of `username`: derived from the address. `setup_token` is required for the first admin only."""

    username: NewUsername | None = None
    email: EmailAddress
    password: NewPassword
    full_name: FullName | None = None
    setup_token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)] | None = None


def password_words(body: RegisterUser | RegisterAdmin) -> list[str | None]:
    """What the password must not consist of."""
    return [body.username, body.email, body.full_name]


def user_path(user_id: int) -> str:
    """The `Location` of a registered user."""
    return f"/api/v1/users/{user_id}"
