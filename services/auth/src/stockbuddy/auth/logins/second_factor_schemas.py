"""Requests and responses of logins with a second factor, and of step-up authentication."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, model_validator

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
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_CODE_LENGTH),
    Field(description="Six digits of an authenticator app, or a recovery code. Spaces and hyphens are ignored."),
]
RecoveryCodes = Annotated[
    list[str] | None,
    Field(description="New recovery codes, returned only here, if this login has set up the first second factor."),
]


class SecondFactorLogin(RequestBody):
    """The second step of a login."""

    challenge: ChallengeToken
    code: FactorCode


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
    """Exactly one proof: `code` of a user with a second factor, `password` of others."""

    password: Annotated[LoginPassword | None, Field(description="Your password, if you have no second factor.")] = None
    code: FactorCode | None = None

    @model_validator(mode="after")
    def _require_one(self) -> "VerifySession":
        if (self.password is None) == (self.code is None):
            raise ValueError("give either password or code")
        return self


class StepUpResponse(BaseModel):
    """The session is verified."""

    method: Annotated[str, Field(description="What was verified: `password`, `totp` or `recovery_code`.")]
    valid_until: Annotated[datetime, Field(description="Until when sensitive calls need no further proof.")]
