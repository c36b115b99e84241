"""Requests and responses of passwords."""

from typing import Annotated

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH, EmailAddress, LoginPassword, NewPassword
from stockbuddy.auth.sessions.schemas import TokenPairResponse
from stockbuddy.chassis.fields import RequestBody
from stockbuddy.chassis.http.errors import Unprocessable


class _ConfirmedPassword(RequestBody):
    """`revoke_api_keys`, `withdraw_consents`: for an account that someone else may have used."""

    new_password: NewPassword
    confirm_password: LoginPassword
    revoke_api_keys: StrictBool = False
    withdraw_consents: StrictBool = False

    def require_confirmed(self) -> None:
        """Raises Unprocessable if the two passwords differ."""
        if self.confirm_password != self.new_password:
            raise Unprocessable.field("confirm_password", "differs from the new password", "passwords_differ")


class ChangePassword(_ConfirmedPassword):
    old_password: LoginPassword


class RequestPasswordReset(RequestBody):
    email: EmailAddress


class ResetPassword(_ConfirmedPassword):
    token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TOKEN_LENGTH), Field(min_length=1)]


class PasswordChangedResponse(TokenPairResponse):
    """The tokens of the new session. In a browser session the cookies are set too; `csrf_token` and `csrf_cookie` are
    then as in the response to the login."""

    csrf_token: str | None = None
    csrf_cookie: str | None = None


class MessageResponse(BaseModel):
    """A message for the user."""

    detail: str
