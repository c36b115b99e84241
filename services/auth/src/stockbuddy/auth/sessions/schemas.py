"""How sessions and their tokens look in requests and answers."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.sessions.devices import device_name
from stockbuddy.auth.sessions.model import LoginSession
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


class SessionView(BaseModel):
    """`last_used_at` is exact to some seconds; `is_current` marks the one that asks."""

    id: UUID
    device: str
    user_agent: str | None
    ip_address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool

    @classmethod
    def of(cls, shown: LoginSession, *, current: UUID | None) -> Self:
        return cls(
            id=shown.id,
            device=device_name(shown.user_agent),
            user_agent=shown.user_agent,
            ip_address=shown.ip_address,
            created_at=shown.created_at,
            last_used_at=shown.last_used_at,
            expires_at=shown.expires_at,
            is_current=shown.id == current,
        )


class BrowserSession(BaseModel):
    """`csrf_token` goes into the header `X-CSRF-Token` of every unsafe call; it is in the cookie of that name too."""

    user: UserView
    csrf_token: str
    expires_at: datetime


class RevokedSessions(BaseModel):
    """`cursor` goes into the next question's `after`."""

    session_ids: list[str]
    cursor: str
