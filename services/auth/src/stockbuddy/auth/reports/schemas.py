"""How the gateway reports."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from stockbuddy.auth.fields import LARGEST_ID, NO_CONTROL_CHARACTERS

Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)]


class Denial(BaseModel):
    """A request that got a 403 of the gateway's own, and where it came from. The user is null where none was known."""

    model_config = ConfigDict(extra="forbid")

    method: Short
    path: Short
    code: Short
    user_id: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = None
    username: Short | None = None
    client_ip: Short
    request_id: Short
    traceparent: Short | None = None


class ReportDenials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    denials: Annotated[list[Denial], Field(max_length=100)]


class Use(BaseModel):
    """`session_id` is the `sid` of the token that was shown last `at` that time."""

    model_config = ConfigDict(extra="forbid")

    session_id: Short
    at: AwareDatetime


class ReportUses(BaseModel):
    model_config = ConfigDict(extra="forbid")

    uses: Annotated[list[Use], Field(max_length=1000)]
