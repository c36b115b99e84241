"""The access tokens of sessions."""

from fastapi import Response

from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.sessions.commands import CreatedSession
from stockbuddy.auth.sessions.schemas import TokenPairResponse
from stockbuddy.auth.users.schemas import UserResponse
from stockbuddy.chassis.runtime import clock


def to_token_pair(created: CreatedSession, services: AuthServices) -> TokenPairResponse:
    remaining_seconds = int((created.session.expires_at - clock.now()).total_seconds())
    lifetime_seconds = max(1, min(services.settings.access_token_seconds, remaining_seconds))
    user = created.user
    principal = created.rights.to_principal(
        user.id, user.username, created.session.sid, lifetime_seconds=lifetime_seconds
    )
    return TokenPairResponse(
        access_token=services.signing_keys.sign(principal),
        expires_in=lifetime_seconds,
        refresh_token=created.refresh_token,
        user=UserResponse.model_validate(user),
    )


def forbid_caching(response: Response) -> None:
    """Responses with tokens must not be cached (RFC 6749 §5.1)."""
    response.headers["Cache-Control"] = "no-store"
