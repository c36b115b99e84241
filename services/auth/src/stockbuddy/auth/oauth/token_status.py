"""What an app may ask or say about its own tokens: revocation (RFC 7009) and introspection (RFC 7662)."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps import queries
from stockbuddy.auth.apps.grant_commands import REFRESH_TOKEN_PREFIX, end_grant, rotate_grant
from stockbuddy.auth.apps.model import App, AppGrant
from stockbuddy.auth.crypto import digest
from stockbuddy.auth.session_ids import parse_grant_id
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.access.permissions import sorted_names
from stockbuddy.chassis.http.errors import Unauthenticated
from stockbuddy.chassis.http.tokens import Principal, TokenVerifier
from stockbuddy.chassis.runtime import clock


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """An active token. `expires_at`: seconds since the epoch."""

    grant: AppGrant
    username: str
    expires_at: int
    scopes: list[str]


async def revoke_token(
    session: AsyncSession, app: App, token: str, verifier: TokenVerifier, settings: AuthSettings
) -> bool:
    """A refresh token ends its grant, an access token only itself and its like. An invalid token is revoked already.
    False if it is another app's."""
    if token.startswith(REFRESH_TOKEN_PREFIX):
        principal, grant_id = None, await queries.find_grant_id(session, digest(token))
    else:
        principal = await _verify(token, verifier)
        grant_id = parse_grant_id(principal.session_id) if principal else None
        if principal is not None and grant_id is None:
            return False
    grant = await queries.lock_grant(session, grant_id) if grant_id is not None else None
    if grant is None or grant.ended_at is not None:
        return True
    if grant.app_id != app.id:
        return False
    if principal is None:
        end_grant(session, grant, settings, reason="revoked")
    elif principal.session_id == grant.sid:
        rotate_grant(session, grant, settings)
    return True


async def find_token_status(session: AsyncSession, app: App, token: str, verifier: TokenVerifier) -> TokenStatus | None:
    """None if the token is not active, or not the app's."""
    if token.startswith(REFRESH_TOKEN_PREFIX):
        if not await queries.is_unused_refresh_token(session, digest(token)):
            return None
        principal, grant_id = None, await queries.find_grant_id(session, digest(token))
    else:
        principal = await _verify(token, verifier)
        grant_id = parse_grant_id(principal.session_id) if principal else None
    grant = await queries.find_grant(session, grant_id) if grant_id is not None else None
    if grant is None or grant.app_id != app.id or not grant.is_active(clock.now()):
        return None
    user = await find_user(session, grant.user_id)
    if user is None or not user.is_active or (principal is not None and principal.session_id != grant.sid):
        return None
    if principal is None:
        return TokenStatus(grant, user.username, int(grant.expires_at.timestamp()), grant.scopes)
    return TokenStatus(grant, user.username, principal.expires_at, sorted_names(principal.permissions))


async def _verify(token: str, verifier: TokenVerifier) -> Principal | None:
    try:
        return await verifier.verify(token)
    except Unauthenticated:
        return None
