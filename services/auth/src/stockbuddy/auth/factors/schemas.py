"""Requests and responses of second factors."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stockbuddy.auth.factors.model import TotpFactor
from stockbuddy.auth.factors.totp import provisioning_uri
from stockbuddy.chassis.fields import RequestBody

MAX_CODE_LENGTH = 20


class FactorResponse(BaseModel):
    """A second factor, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(description="Identifies the app when it is removed.")]
    kind: Annotated[Literal["totp"], Field(description="`totp`: an authenticator app.")] = "totp"
    created_at: Annotated[datetime, Field(description="When its setup began, in UTC.")]
    last_used_at: Annotated[
        datetime | None, Field(description="When a code of it was last accepted, in UTC; null: never.")
    ]


class FactorList(BaseModel):
    """The user's second factors."""

    items: Annotated[list[FactorResponse], Field(description="The confirmed authenticator app, or nothing.")]
    recovery_codes_remaining: Annotated[int, Field(description="How many recovery codes are unused, from 0 to 10.")]
    is_required: Annotated[bool, Field(description="Whether the user's role requires a second factor.")]


class TotpSetupResponse(BaseModel):
    """A new authenticator app, pending until a first code is entered."""

    id: Annotated[int, Field(description="Goes into the path of `POST /auth/factors/{id}/confirm`.")]
    kind: Annotated[Literal["totp"], Field(description="`totp`: an authenticator app.")] = "totp"
    secret: Annotated[str, Field(description="The shared secret in base32, for typing; returned only here.")]
    uri: Annotated[str, Field(description="The same as an `otpauth:` URI, to be shown as a QR code.")]

    @classmethod
    def from_factor(cls, factor: TotpFactor, secret: str, *, account: str, issuer: str) -> Self:
        return cls(id=factor.id, secret=secret, uri=provisioning_uri(secret, account=account, issuer=issuer))


class ConfirmFactor(RequestBody):
    """The first code of a new authenticator app."""

    code: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_CODE_LENGTH),
        Field(description="The six digits that the app shows now. Spaces are ignored."),
    ]


class RecoveryCodeList(BaseModel):
    """Recovery codes; each replaces a second factor once."""

    recovery_codes: Annotated[
        list[str],
        Field(description="Returned only here: keep them in a safe place. Empty if you have recovery codes already."),
    ]
