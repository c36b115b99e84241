"""Auth's errors. Each docstring is the message that clients receive."""

from typing import Annotated, Any, Literal

from pydantic import Field

from stockbuddy.chassis.http.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

_CHALLENGE = {
    "challenge": Annotated[str, Field(description="Names the login: send it with the second step. Works once.")],
    "expires_in": Annotated[int, Field(description="Seconds until the challenge expires.")],
}


class InvalidCredentials(Unauthenticated):
    """Invalid username or password."""

    code = "invalid_credentials"


class SecondFactorRequired(Unauthenticated):
    """Enter a second factor: complete the login with POST /auth/login/second-factor."""

    code = "second_factor_required"
    members = {
        **_CHALLENGE,
        "passkey_options": Annotated[
            dict[str, Any],
            Field(
                default_factory=dict,
                description="For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`; "
                "absent if the user has no passkey.",
            ),
        ],
    }


class SecondFactorSetupRequired(Unauthenticated):
    """Your role requires a second factor: set one up with POST /auth/login/factors, then complete the login."""

    code = "second_factor_setup_required"
    members = _CHALLENGE


class InvalidChallenge(Unauthenticated):
    """The challenge is invalid, used or expired; log in again."""

    code = "invalid_challenge"


class InvalidSecondFactor(Unauthenticated):
    """The code is wrong or was used before."""

    code = "invalid_second_factor"


class InvalidPasskey(Unauthenticated):
    """The passkey is unknown or disabled, or its response is invalid."""

    code = "invalid_passkey"


class InvalidInvitation(Unauthenticated):
    """The invitation is invalid, used or expired; an existing account needs its password instead."""

    code = "invalid_invitation"


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is invalid or expired."""

    code = "invalid_refresh_token"


class InvalidApiKey(Unauthenticated):
    """The API key is invalid, expired or revoked."""

    code = "invalid_api_key"


class InvalidBrowserSession(Unauthenticated):
    """The browser session is invalid or has ended; log in again."""

    code = "invalid_session"


class InvalidStreamTicket(Unauthenticated):
    """The ticket is invalid, used or older than a minute; create another one."""

    code = "invalid_ticket"


class UnknownCaller(Unauthenticated):
    """The user of the access token does not exist."""


class StepUpRequired(Forbidden):
    """Prove your identity again: POST /auth/step-up, then repeat this request."""

    code = "step_up_required"
    members = {
        "methods": Annotated[
            list[Literal["code", "passkey", "password"]],
            Field(description="Which fields of `POST /auth/step-up` prove the identity of this user; one is enough."),
        ]
    }


class UserNotFound(NotFound):
    """There is no user with this id."""


class SessionNotFound(NotFound):
    """There is no active session with this id."""


class ApiKeyNotFound(NotFound):
    """There is no API key with this id."""


class InvitationNotFound(NotFound):
    """There is no invitation with this id."""


class FactorNotFound(NotFound):
    """You have no second factor with this id, or none that awaits confirmation."""


class PasskeyNotFound(NotFound):
    """You have no passkey with this id."""


class EmailNotFound(NotFound):
    """There is no unsent e-mail with this id."""


class EmailWaiting(Conflict):
    """The e-mail was not set aside; it is waiting to be sent."""


class UsernameTaken(Conflict):
    """This username is already in use."""

    code = "username_taken"


class EmailTaken(Conflict):
    """This e-mail address is already in use."""

    code = "email_taken"


class InvitationAlreadyUsed(Conflict):
    """The invitation has been used and cannot be revoked."""


class PasskeyExists(Conflict):
    """This passkey is registered already."""

    code = "passkey_exists"


class TooManyPasskeys(Conflict):
    """You have 20 passkeys; remove one that you no longer use."""

    code = "too_many_passkeys"


class FactorRequired(Conflict):
    """Your role requires a second factor; add another one before you remove this one."""

    code = "factor_required"


class ErasedUser(Conflict):
    """The personal data of this user was erased; the account cannot be changed any more."""

    code = "user_erased"


class LastAdmin(Conflict):
    """The last active admin cannot be demoted or deactivated."""

    code = "last_admin"


class AdminsOnly(Forbidden):
    """Only admins can log in here."""

    code = "admins_only"


class SalespeopleOnly(Forbidden):
    """Only salespeople can log in here."""

    code = "salespeople_only"


class ForeignApiKeys(Forbidden):
    """The API keys of other users require the permission `key.manage`."""


class InvalidBootstrapToken(Forbidden):
    """The first admin requires `setup_token`, the token that auth logged at its first start."""

    code = "setup_token_invalid"


class RegistrationClosed(Forbidden):
    """Registration is closed; ask an admin for an invitation."""

    code = "registration_closed"


class WrongPassword(BadRequest):
    """The password is wrong."""

    code = "wrong_password"


class InvalidSetupCode(BadRequest):
    """The code is wrong: check the clock of the device that shows it."""

    code = "invalid_code"


class WrongCode(BadRequest):
    """The code is wrong or was used before."""

    code = "wrong_code"


class WrongPasskey(BadRequest):
    """The passkey is not yours or disabled, or its response is invalid."""

    code = "wrong_passkey"


class InvalidConfirmationToken(BadRequest):
    """The confirmation token is invalid, used or expired; request a new one."""

    code = "invalid_confirmation_token"


class InvalidResetToken(BadRequest):
    """The reset token is invalid, used or expired; request a new one."""

    code = "invalid_reset_token"


class UnsupportedMediaType(Problem):
    """The body must be JSON (application/json) or a form (application/x-www-form-urlencoded)."""

    status = 415
    code = "unsupported_media_type"


class TooManyAttempts(TooManyRequests):
    """Too many failed logins; retry after the time in Retry-After."""

    code = "too_many_attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


class TooManyPasswords(TooManyRequests):
    """Too many logins from this address are in progress; retry shortly."""

    code = "too_many_logins"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class SecondFactorUnavailable(Unavailable):
    """The code cannot be verified, because SECRET_KEY has changed; ask an admin to reset your second factors."""

    code = "second_factor_unavailable"


class HashingOverloaded(Unavailable):
    """Too many logins are in progress; retry shortly."""

    code = "hashing_overloaded"
