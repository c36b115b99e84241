"""What can go wrong in auth, and what the caller is told."""

from stockbuddy.chassis.http.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)


class InvalidCredentials(Unauthenticated):
    """The name and the password do not belong together."""

    code = "invalid_credentials"


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is not valid, or no longer; log in again."""

    code = "invalid_refresh_token"


class UsernameTaken(Conflict):
    """Somebody has this username already."""

    code = "username_taken"


class EmailTaken(Conflict):
    """Somebody has this e-mail address already."""

    code = "email_taken"


class AdminsOnly(Forbidden):
    """Only admins may log in here."""

    code = "admins_only"


class SetupTokenInvalid(Forbidden):
    """The first admin needs the setup token that the first start printed, in the field `setup_token`."""

    code = "setup_token_invalid"


class HashingBusy(Unavailable):
    """Too many passwords are being checked at the moment; try again shortly."""

    code = "busy"


class UnsupportedMediaType(Problem):
    """The body must be JSON (application/json) or a form (application/x-www-form-urlencoded)."""

    status = 415
    code = "unsupported_media_type"


class TooManyAttempts(TooManyRequests):
    """Too many failed attempts; wait before the next one."""

    code = "too_many_attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


class RegistrationClosed(Forbidden):
    """Registration is switched off; ask an admin for an invitation."""

    code = "registration_closed"


class SalespeopleOnly(Forbidden):
    """Only sales staff may log in here."""

    code = "salespeople_only"


class PeopleOnly(Forbidden):
    """API keys can't do this; log in as a person."""

    code = "people_only"


class WrongPassword(BadRequest):
    """The old password is not right."""

    code = "wrong_password"


class InvalidResetToken(BadRequest):
    """The reset token is not valid, or no longer; ask for a new one."""

    code = "invalid_reset_token"


class LastAdmin(Conflict):
    """The last active admin can't be demoted or deactivated."""

    code = "last_admin"


class RoleTooHigh(Forbidden):
    """A key's role may be at most that of whoever makes it."""

    code = "role_too_high"


class WarehousesTooWide(Forbidden):
    """A key may reach at most the warehouses of whoever makes it."""

    code = "warehouses_too_wide"


class InvalidApiKey(Unauthenticated):
    """The API key is not valid, or no longer."""

    code = "invalid_api_key"


class InvalidBrowserSession(Unauthenticated):
    """The browser session is not valid, or no longer; log in again."""

    code = "invalid_session"
