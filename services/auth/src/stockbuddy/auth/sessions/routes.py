"""HTTP of sessions: refresh, logout, one's own list, and what the gateway asks."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.auth.errors import InvalidRefreshToken
from stockbuddy.auth.listing import Order, read_page
from stockbuddy.auth.interactive_users import Person
from stockbuddy.auth.sessions import commands, queries
from stockbuddy.auth.sessions.cookies import delete_cookies
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.sessions.schemas import RefreshSession, RevokedSessions, SessionView, TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.session_ids import session_id_of
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import PUBLIC, Caller
from stockbuddy.chassis.http.pagination import Page, PageParameters

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)
public_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=APIRoute)
internal_router = APIRouter(prefix="/internal", include_in_schema=False)

NEWEST_FIRST = Order("created_desc", [LoginSession.created_at, LoginSession.id], newest_first=True)


@public_router.post("/refresh", dependencies=[PUBLIC])
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
@router.delete("/session", status_code=204, name="end_cookie_session")
async def logout(caller: Caller, session: Session, response: Response, settings: Settings) -> None:
    """End the session; the gateway refuses its access tokens within a second. A browser gives its cookies back."""
    session_id = session_id_of(caller.session_id)
    ended = await queries.lock_session(session, session_id) if session_id else None
    if ended is None:
        return
    if ended.ended_at is None:
        commands.end_session(session, ended, settings, reason="logout")
    if ended.cookie_digest is not None:
        delete_cookies(response, settings)


@router.get("/sessions")
async def list_sessions(caller: Person, session: ReadSession, paging: PageParameters) -> Page[SessionView]:
    """One's own sessions that are alive, the newest first."""
    alive = queries.live_sessions_of(caller.user_id, datetime.now(UTC))
    found = await read_page(session, alive, paging, NEWEST_FIRST)
    current = session_id_of(caller.session_id)
    return found.page(lambda row: SessionView.of(row, current=current))


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID, caller: Person, session: Session, settings: Settings) -> None:
    """End one of one's own sessions, as that of a lost phone."""
    ended = await queries.lock_session(session, session_id)
    if ended is None or ended.user_id != caller.user_id or not ended.is_alive(datetime.now(UTC)):
        raise NotFound("There is no such session.")
    commands.end_session(session, ended, settings, reason="ended")


@internal_router.get("/revoked-sessions", dependencies=[PUBLIC])
async def list_revoked_sessions(
    session: ReadSession, after: Annotated[str | None, Query(pattern=r"^\d{1,19}$")] = None
) -> RevokedSessions:
    """The `sid`s whose tokens are to be refused: since the cursor `after`, or all that matter still."""
    revoked = await queries.revocations(session, after)
    return RevokedSessions(session_ids=revoked.sids, cursor=revoked.cursor)
