"""Turns an opened session into the pair of tokens that its client gets."""

from fastapi import Response

from stockbuddy.auth.sessions.commands import OpenedSession, principal_of
from stockbuddy.auth.sessions.schemas import TokenPair
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing.keys import SigningKeys
from stockbuddy.auth.users.schemas import UserView


def token_pair(opened: OpenedSession, keys: SigningKeys, settings: AuthSettings) -> TokenPair:
    lifetime_seconds = settings.access_token_seconds
    return TokenPair(
        access_token=keys.sign(principal_of(opened.user, opened.session.sid, lifetime_seconds=lifetime_seconds)),
        expires_in=lifetime_seconds,
        refresh_token=opened.refresh_token,
        user=UserView.model_validate(opened.user),
    )


def forbid_caching(response: Response) -> None:
    """Tokens are not for caches (RFC 6749 §5.1)."""
    response.headers["Cache-Control"] = "no-store"
