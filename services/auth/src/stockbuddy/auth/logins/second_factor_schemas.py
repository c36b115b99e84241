"""Requests and responses of logins with a second factor, and of step-up authentication."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StringConstraints, model_validator

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH, LoginPassword
from stockbuddy.auth.sessions.schemas import BrowserSessionResponse, TokenPairResponse
from stockbuddy.chassis.fields import RequestBody

MAX_CODE_LENGTH = 50
"""More than a recovery code with spaces."""

ChallengeToken = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH),
    Field(description="The `challenge` of the response to the first step; valid for five minutes."),
]
FactorCode = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_CODE_LENGTH)] | None,
    Field(description="Six digits of an authenticator app, or a recovery code. Spaces and hyphens are ignored."),
]
PASSKEY = Field(
    description="What `navigator.credentials.get` returned, as `toJSON()` serialises it (WebAuthn Level 3)."
)
PasskeyAssertion = Annotated[dict[str, Any], PASSKEY]
OptionalPasskey = Annotated[dict[str, Any] | None, PASSKEY]
RecoveryCodes = Annotated[
    list[str] | None,
    Field(description="New recovery codes, returned only here, if this login has set up the first second factor."),
]


class SecondFactorLogin(RequestBody):
    """The second step of a login: exactly one of `code` and `passkey`."""

    challenge: ChallengeToken
    code: FactorCode = None
    passkey: OptionalPasskey = None

    @model_validator(mode="after")
    def _require_one(self) -> "SecondFactorLogin":
        if (self.code is None) == (self.passkey is None):
            raise ValueError("give either code or passkey")
        return self


class PasskeyLogin(RequestBody):
    """A login with a passkey alone."""

    challenge: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH),
        Field(description="The `challenge` of `POST /auth/login/passkey/options`."),
    ]
    passkey: PasskeyAssertion
    with_cookie: Annotated[
        StrictBool, Field(description="Whether a browser logs in, which receives cookies as from `POST /auth/session`.")
    ] = False


class PasskeyCeremonyResponse(BaseModel):
    """A started ceremony of a passkey."""

    challenge: Annotated[str, Field(description="Names the ceremony; send it back. Valid once, for five minutes.")]
    options: Annotated[
        dict[str, Any],
        Field(description="For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`."),
    ]


class LoginFactorCreate(RequestBody):
    """The setup of the second factor that the user's role requires, during a login."""

    challenge: ChallengeToken


class SecondFactorTokenResponse(TokenPairResponse):
    """The tokens of the new session."""

    recovery_codes: RecoveryCodes = None


class SecondFactorBrowserResponse(BrowserSessionResponse):
    """The new session of a browser, whose cookies are set."""

    recovery_codes: RecoveryCodes = None


class VerifySession(RequestBody):
    """Exactly one proof: `code` or `passkey` of a user with a second factor, `password` of others."""

    password: Annotated[LoginPassword | None, Field(description="Your password, if you have no second factor.")] = None
    code: FactorCode = None
    passkey: OptionalPasskey = None
    challenge: Annotated[
        str | None,
        Field(max_length=MAX_TOKEN_LENGTH, description="With `passkey`: that of `POST /auth/step-up/options`."),
    ] = None

    @model_validator(mode="after")
    def _require_one(self) -> "VerifySession":
        if sum(proof is not None for proof in (self.password, self.code, self.passkey)) != 1:
            raise ValueError("give exactly one of password, code and passkey")
        if (self.passkey is None) != (self.challenge is None):
            raise ValueError("give passkey and challenge together")
        return self


class StepUpResponse(BaseModel):
    """The session is verified."""

    method: Annotated[str, Field(description="What was verified: `password`, `totp`, `recovery_code` or `passkey`.")]
    valid_until: Annotated[datetime, Field(description="Until when sensitive calls need no further proof.")]
