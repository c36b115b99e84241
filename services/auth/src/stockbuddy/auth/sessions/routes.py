"""HTTP of sessions: refresh, logout, and what the gateway asks."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from stockbuddy.auth.errors import InvalidRefreshToken
from stockbuddy.auth.sessions import commands, queries
from stockbuddy.auth.sessions.model import session_id_of
from stockbuddy.auth.sessions.schemas import RefreshSession, RevokedSessions, TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.chassis.database import ReadSession, Session
from stockbuddy.chassis.identity import PUBLIC, Caller

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])
internal_router = APIRouter(prefix="/internal", include_in_schema=False)


@router.post("/refresh", dependencies=[PUBLIC])
async def refresh(
    body: RefreshSession, request: Request, response: Response, keys: Keys, settings: Settings
) -> TokenPair:
    """A new pair of tokens. The old refresh token is used up; shown again, it ends the whole session."""
    async with request.app.state.database.transaction() as session:
        opened = await commands.refresh_session(session, body.refresh_token, settings)
    if opened is None:
        raise InvalidRefreshToken()
    forbid_caching(response)
    return token_pair(opened, keys, settings)


@router.post("/logout", status_code=204)
async def logout(caller: Caller, session: Session, settings: Settings) -> None:
    """End the session; the gateway refuses its access tokens within a second."""
    session_id = session_id_of(caller.session_id)
    ended = session_id and await queries.lock_session(session, session_id)
    if ended and ended.ended_at is None:
        commands.end_session(session, ended, settings, reason="logout")


@internal_router.get("/revoked-sessions", dependencies=[PUBLIC])
async def list_revoked_sessions(
    session: ReadSession, after: Annotated[str | None, Query(pattern=r"^\d{1,19}$")] = None
) -> RevokedSessions:
    """The `sid`s whose tokens are to be refused: since the cursor `after`, or all that matter still."""
    revoked = await queries.revocations(session, after)
    return RevokedSessions(session_ids=revoked.sids, cursor=revoked.cursor)
