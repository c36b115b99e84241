"""How passwords are changed in requests."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stockbuddy.auth.fields import EmailAddress, NewPassword
from stockbuddy.auth.logins.schemas import TypedPassword
from stockbuddy.chassis.http.errors import Unprocessable


class _NewPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    new_password: NewPassword
    confirm_password: TypedPassword

    def confirmed(self) -> Self:
        """Raises Unprocessable when the two differ."""
        if self.confirm_password != self.new_password:
            raise Unprocessable.field("confirm_password", "differs from the new password")
        return self


class ChangePassword(_NewPassword):
    old_password: TypedPassword


class ForgotPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: EmailAddress


class ResetPassword(_NewPassword):
    token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Field(min_length=1)]


class Told(BaseModel):
    """A sentence for people."""

    detail: str
