"""The access tokens of sessions."""

from datetime import UTC, datetime

from fastapi import Response

from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.sessions.commands import CreatedSession
from stockbuddy.auth.sessions.schemas import TokenPairResponse
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.schemas import UserResponse
from stockbuddy.chassis.http.tokens import Principal


def to_token_pair(created: CreatedSession, services: AuthServices) -> TokenPairResponse:
    remaining_seconds = int((created.session.expires_at - datetime.now(UTC)).total_seconds())
    lifetime_seconds = max(1, min(services.settings.access_token_seconds, remaining_seconds))
    principal = to_principal(created.user, created.session.sid, lifetime_seconds=lifetime_seconds)
    return TokenPairResponse(
        access_token=services.signing_keys.sign(principal),
        expires_in=lifetime_seconds,
        refresh_token=created.refresh_token,
        user=UserResponse.model_validate(created.user),
    )


def to_principal(user: User, sid: str, *, lifetime_seconds: int) -> Principal:
    """The claims of an access token for `user`."""
    return Principal(
        user_id=user.id,
        username=user.username,
        role=user.role,
        session_id=sid,
        warehouse_ids=None if user.warehouse_ids is None else frozenset(user.warehouse_ids),
        expires_at=int(datetime.now(UTC).timestamp()) + lifetime_seconds,
    )


def forbid_caching(response: Response) -> None:
    """Responses with tokens must not be cached (RFC 6749 §5.1)."""
    response.headers["Cache-Control"] = "no-store"
