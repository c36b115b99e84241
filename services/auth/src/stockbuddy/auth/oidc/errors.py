"""Errors of single sign-on. Each docstring is the message that clients receive."""

from stockbuddy.chassis.http.errors import BadRequest, Forbidden, NotFound


class SignInNotStarted(BadRequest):
    """This sign-in was not started in this browser, or is over; start it again."""

    code = "sign_in_not_started"


class EmailNotVerified(Forbidden):
    """The identity provider has not verified your e-mail address."""

    code = "email_not_verified"


class EmailNotConfirmed(Forbidden):
    """A user with your e-mail address exists, but has not confirmed it; log in with the password and confirm it."""

    code = "email_not_confirmed"


class UnknownAccount(Forbidden):
    """No user has your e-mail address; ask an admin for an invitation."""

    code = "unknown_account"


class NoRole(Forbidden):
    """None of your groups at the identity provider has access."""

    code = "no_role"


class AccountInactive(Forbidden):
    """Your account was deactivated."""

    code = "account_inactive"


class ProviderNotFound(NotFound):
    """There is no identity provider with this name."""
