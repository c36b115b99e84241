"""How sessions and their tokens look in requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.users.schemas import UserView


class TokenPair(BaseModel):
    """`expires_in` is the access token's lifetime in seconds; the refresh token works once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    refresh_token: str
    user: UserView


class RefreshSession(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: Annotated[str, Field(max_length=200)]


class RevokedSessions(BaseModel):
    """`cursor` goes into the next question's `after`."""

    session_ids: list[str]
    cursor: str
