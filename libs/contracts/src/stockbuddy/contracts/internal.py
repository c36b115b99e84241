"""Calls of the gateway to auth that are not part of the public API: paths, request and response bodies.

The gateway's public port does not route these paths. Lists are limited, so that a report fits into one request.
"""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

TOKEN_EXCHANGE_PATH = "/internal/token-exchange"
"""POST TokenExchangeRequest → TokenExchangeResponse; 401 if the credential is invalid."""
REVOCATIONS_PATH = "/internal/revocations"
"""GET with `after` (a cursor) → RevocationsResponse."""
CLOCK_PATH = "/internal/clock"
"""GET, not signed, because a signature needs the time → ClockResponse."""
DENIALS_PATH = "/internal/denials"
"""POST DeniedRequestReport → 204."""
LAST_USED_PATH = "/internal/last-used"
"""POST LastUsedReport → 204."""

PERSONAL_DATA_PATH = "/internal/personal-data/{kind}/{person_id}"
"""GET, with the access token of an admin: what a service other than the owner stores about a person, such as the
customer 5 (`/internal/personal-data/customer/5`). The gateway adds it to the response of the owner."""

MAX_SECRET_LENGTH = 200
MAX_TEXT_LENGTH = 200
MAX_DENIED_REQUESTS = 100
MAX_LAST_USED = 1000

Secret = Annotated[str, Field(min_length=1, max_length=MAX_SECRET_LENGTH)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_LENGTH, pattern=r"^[^\x00-\x1f\x7f]*$")]
UserId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TokenExchangeRequest(_Request):
    """Exactly one credential. A stream ticket is used by its exchange."""

    api_key: Secret | None = None
    session_cookie: Secret | None = None
    stream_ticket: Secret | None = None

    @model_validator(mode="after")
    def require_one_credential(self) -> Self:
        if sum(value is not None for value in (self.api_key, self.session_cookie, self.stream_ticket)) != 1:
            raise ValueError("exactly one of api_key, session_cookie and stream_ticket is required")
        return self


class TokenExchangeResponse(BaseModel):
    """An access token for the credential, valid for `expires_in` seconds. `csrf_token` (for a session cookie only): the
    value that requests with unsafe methods repeat in `X-CSRF-Token`. `cookie_max_age` (seconds): use has extended the
    session, so the browser's cookies must be set again with this lifetime."""

    access_token: str
    expires_in: int
    csrf_token: str | None = None
    cookie_max_age: int | None = None


class RevocationsResponse(BaseModel):
    """`session_ids`: values of the claim `sid` whose tokens are refused; may repeat earlier ones. `cursor`: `after` of
    the next call."""

    session_ids: list[str]
    cursor: str


class ClockResponse(BaseModel):
    """`seconds`: since the epoch, by the clock of auth's database server."""

    seconds: float


class DeniedRequest(_Request):
    """A request that the gateway answered with 403. The user is null if the request was anonymous."""

    method: Text
    path: Text
    code: Text
    user_id: UserId | None = None
    username: Text | None = None
    client_ip: Text
    request_id: Text
    traceparent: Text | None = None


class DeniedRequestReport(_Request):
    """The requests denied since the last report."""

    requests: Annotated[list[DeniedRequest], Field(max_length=MAX_DENIED_REQUESTS)]


class LastUsed(_Request):
    """The last time that a token with this `sid` was used."""

    session_id: Text
    used_at: AwareDatetime


class LastUsedReport(_Request):
    """Sessions and API keys used since the last report."""

    sessions: Annotated[list[LastUsed], Field(max_length=MAX_LAST_USED)]
