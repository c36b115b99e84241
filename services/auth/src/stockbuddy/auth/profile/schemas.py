"""Requests of one's own profile."""

from typing import Annotated

from pydantic import Field, StringConstraints

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH, EmailAddress, FullName, LoginPassword, Username
from stockbuddy.chassis.fields import Omittable, RequestBody


class ProfileUpdate(RequestBody):
    """Omitted fields keep their value. `password`: one's own, required with another `email` unless you have a
    second factor."""

    username: Omittable[Username]
    email: Omittable[EmailAddress]
    full_name: Omittable[FullName | None]
    password: Omittable[LoginPassword]


class ConfirmEmail(RequestBody):
    token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TOKEN_LENGTH), Field(min_length=1)]
