"""Authorization codes: issued to a browser, exchanged by the app (RFC 6749 §4.1, RFC 7636)."""

import base64
import hashlib
import hmac
import re
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.grant_commands import IssuedGrant, create_grant, end_grant
from stockbuddy.auth.apps.model import App
from stockbuddy.auth.apps.queries import lock_grant
from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.oauth import queries
from stockbuddy.auth.oauth.model import AuthorizationCode
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.runtime import clock

CODE_LIFETIME = timedelta(seconds=60)
CODE_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
"""SHA-256 in base64url without padding."""
_CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


def code_challenge_of(code_verifier: str) -> str:
    """The challenge of the method S256 (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()


def create_code(
    session: AsyncSession, app: App, user_id: int, *, redirect_uri: str, code_challenge: str, scopes: list[str]
) -> str:
    code = create_secret()
    issued = AuthorizationCode(
        digest=digest(code),
        app_id=app.id,
        user_id=user_id,
        redirect_uri=redirect_uri,
        code_challenge=code_challenge,
        scopes=scopes,
        expires_at=clock.now() + CODE_LIFETIME,
    )
    session.add(issued)
    return code


async def exchange_code(
    session: AsyncSession, app: App, code: str, settings: AuthSettings, *, redirect_uri: str, code_verifier: str
) -> IssuedGrant | None:
    """None if the code is invalid. Using a code twice ends its grant, and a wrong verifier uses the code up, so the
    caller must commit even when None is returned. `app` is held (`find_app`)."""
    issued = await queries.lock_code(session, digest(code))
    now = clock.now()
    if issued is None or issued.app_id != app.id:
        return None
    if issued.used_at is not None:
        await _end_grant_of(session, issued, settings)
        return None
    issued.used_at = now
    if issued.expires_at <= now or issued.redirect_uri != redirect_uri:
        return None
    if not _is_verified(issued, code_verifier):
        return None
    created = await create_grant(session, app, issued.user_id, issued.scopes, settings)
    issued.grant_id = created.grant.id if created else None
    return created


def _is_verified(issued: AuthorizationCode, code_verifier: str) -> bool:
    if not _CODE_VERIFIER.fullmatch(code_verifier):
        return False
    return hmac.compare_digest(code_challenge_of(code_verifier), issued.code_challenge)


async def _end_grant_of(session: AsyncSession, issued: AuthorizationCode, settings: AuthSettings) -> None:
    grant = await lock_grant(session, issued.grant_id) if issued.grant_id is not None else None
    if grant is not None and grant.ended_at is None:
        end_grant(session, grant, settings, reason="code_reused")
