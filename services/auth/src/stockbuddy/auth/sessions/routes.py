"""HTTP of sessions: refresh, logout, stream tickets, and the list of one's own sessions."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import InvalidRefreshToken, SessionNotFound
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.auth.sessions import commands, queries
from stockbuddy.auth.sessions.cookies import cookies_for, delete_cookies
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.sessions.schemas import (
    RefreshSession,
    SessionResponse,
    StreamTicketResponse,
    TokenPairResponse,
)
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.chassis.http.authentication import PUBLIC, UserSession
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.runtime import clock

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)
public_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)

NEWEST_FIRST = SortOrder("created_desc", [LoginSession.created_at, LoginSession.id], descending=True)


@public_router.post("/refresh", dependencies=[PUBLIC])
@raises(InvalidRefreshToken)
async def refresh_session(body: RefreshSession, response: Response, services: Services) -> TokenPairResponse:
    """Refresh an access token.

    Returns a new pair. Each refresh token works once; if one is used again, the session ends, because the token
    was probably stolen (401). Each refresh extends the session (by 30 days unless the operator changes it), up to a
    maximum from its login (90 days). A session without a second factor ends if the user's role now requires one.
    """
    async with services.database.transaction() as session:
        refreshed = await commands.refresh_session(session, body.refresh_token, services.settings)
    if refreshed is None:
        raise InvalidRefreshToken()
    forbid_caching(response)
    return to_token_pair(refreshed, services)


@router.post("/logout", status_code=204)
@router.delete("/session", status_code=204, name="delete_browser_session")
async def logout_user(
    caller: UserSession, session: Session, request: Request, response: Response, services: Services
) -> None:
    """Log out.

    Ends the session: its access tokens are rejected within a second. A browser's cookies are deleted.
    """
    session_id = parse_session_id(caller.session_id)
    current = await queries.lock_session(session, session_id) if session_id else None
    if current is None:
        return
    if current.ended_at is None:
        commands.revoke_session(session, current, services.settings, reason="logout")
    if current.cookie_digest is not None:
        delete_cookies(response, cookies_for(request, services.settings))


@router.post("/stream-ticket")
@raises(SessionNotFound)
async def create_stream_ticket(caller: UserSession, session: Session, response: Response) -> StreamTicketResponse:
    """Create a ticket for a stream.

    For `GET /stream?ticket=` or `/ws?ticket=`, once and within a minute: browsers cannot send an access token with
    these. The stream ends like one opened with an access token.
    """
    session_id = parse_session_id(caller.session_id)
    if session_id is None:
        raise SessionNotFound()
    forbid_caching(response)
    ticket = commands.create_stream_ticket(session, session_id)
    return StreamTicketResponse(ticket=ticket, expires_in=int(commands.STREAM_TICKET_LIFETIME.total_seconds()))


@router.get("/sessions")
async def list_sessions(caller: UserSession, session: ReadSession, query: PageParameters) -> Page[SessionResponse]:
    """List one's own sessions.

    Active ones, newest first, with device and last use.
    """
    statement = queries.select_active_sessions(caller.user_id, clock.now())
    sessions = await fetch_page(session, statement, NEWEST_FIRST, query)
    current = parse_session_id(caller.session_id)
    return sessions.to_page(query, lambda row: SessionResponse.from_session(row, current=current))


@router.delete("/sessions/{session_id}", status_code=204)
@raises(SessionNotFound)
async def delete_session(session_id: UUID, caller: UserSession, session: Session, services: Services) -> None:
    """End one of one's own sessions.

    That of a lost phone, for instance: its access tokens are rejected within a second.
    """
    revoked = await queries.lock_session(session, session_id)
    if revoked is None or revoked.user_id != caller.user_id or not revoked.is_active(clock.now()):
        raise SessionNotFound()
    commands.revoke_session(session, revoked, services.settings, reason="ended")
