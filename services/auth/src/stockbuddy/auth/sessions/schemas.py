"""Requests and responses of sessions and their tokens."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH
from stockbuddy.auth.sessions.devices import device_name
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.users.schemas import UserResponse
from stockbuddy.chassis.fields import RequestBody


class TokenPairResponse(BaseModel):
    """`expires_in`: lifetime of the access token in seconds. The refresh token is valid once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    refresh_token: str
    user: UserResponse


class RefreshSession(RequestBody):
    refresh_token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)]


class StreamTicketResponse(BaseModel):
    """`expires_in`: lifetime of the ticket in seconds. It is valid once."""

    ticket: str
    expires_in: int


class SessionResponse(BaseModel):
    """`last_used_at` is accurate to some seconds; `is_current` marks the session of this request."""

    id: UUID
    device: str
    user_agent: str | None
    ip_address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool

    @classmethod
    def from_session(cls, session: LoginSession, *, current: UUID | None) -> Self:
        return cls(
            id=session.id,
            device=device_name(session.user_agent),
            user_agent=session.user_agent,
            ip_address=session.ip_address,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            is_current=session.id == current,
        )


class BrowserSessionResponse(BaseModel):
    """`csrf_token` goes into the header `X-CSRF-Token` of requests with unsafe methods; the cookie that `csrf_cookie`
    names has it too."""

    user: UserResponse
    csrf_token: str
    csrf_cookie: str
    expires_at: datetime
