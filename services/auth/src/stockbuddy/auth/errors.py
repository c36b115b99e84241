"""What can go wrong in auth, and what the caller is told."""

from stockbuddy.chassis.errors import Conflict, Forbidden, Problem, Unauthenticated, Unavailable


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
