"""HTTP for the gateway only, which signs its calls; the public port does not route these paths."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.internal_api import activity
from stockbuddy.auth.sessions import queries
from stockbuddy.auth.sessions.cookies import csrf_token
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.auth.token_exchange import exchange_api_key, exchange_cookie, exchange_stream_ticket
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.internal_calls import INTERNAL
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.internal import (
    CLOCK_PATH,
    DENIALS_PATH,
    LAST_USED_PATH,
    REVOCATIONS_PATH,
    TOKEN_EXCHANGE_PATH,
    ClockResponse,
    DeniedRequestReport,
    LastUsedReport,
    RevocationsResponse,
    TokenExchangeRequest,
    TokenExchangeResponse,
)

router = APIRouter(include_in_schema=False, route_class=StrictQueryRoute)


@router.post(TOKEN_EXCHANGE_PATH, dependencies=[INTERNAL])
async def exchange_token(
    body: TokenExchangeRequest, response: Response, session: ReadSession, services: Services
) -> TokenExchangeResponse:
    """A short-lived access token for an API key or the cookie of a browser session, or one of usual lifetime for a
    stream ticket; 401 if the credential is invalid."""
    keys, lifetime_seconds = services.signing_keys, services.settings.exchanged_token_ttl_seconds
    forbid_caching(response)
    if body.api_key is not None:
        exchanged = await exchange_api_key(session, keys, body.api_key, lifetime_seconds=lifetime_seconds)
        return TokenExchangeResponse(access_token=exchanged.access_token, expires_in=exchanged.expires_in)
    if body.stream_ticket is not None:
        lifetime_seconds = services.settings.access_token_seconds
        exchanged = await exchange_stream_ticket(session, keys, body.stream_ticket, lifetime_seconds=lifetime_seconds)
        return TokenExchangeResponse(access_token=exchanged.access_token, expires_in=exchanged.expires_in)
    cookie = body.session_cookie or ""
    exchanged = await exchange_cookie(session, keys, cookie, settings=services.settings)
    return TokenExchangeResponse(
        access_token=exchanged.access_token,
        expires_in=exchanged.expires_in,
        csrf_token=csrf_token(cookie),
        cookie_max_age=exchanged.cookie_max_age,
    )


@router.get(REVOCATIONS_PATH, dependencies=[INTERNAL])
async def list_revocations(
    request: Request, after: Annotated[str | None, Query(pattern=r"^\d{1,19}$")] = None
) -> RevocationsResponse:
    """Revocations since the cursor `after`; without one, all that are still needed."""
    # Without a session: each gateway asks twice a second.
    async with get_resources(request).database.raw() as connection:
        return await queries.list_revocations(connection, after)


@router.get(CLOCK_PATH, dependencies=[PUBLIC])
async def get_clock() -> ClockResponse:
    """The time that this replica verifies with."""
    return ClockResponse(seconds=clock.timestamp())


@router.post(DENIALS_PATH, status_code=204, dependencies=[INTERNAL])
async def record_denials(body: DeniedRequestReport, session: Session) -> None:
    """Requests that the gateway itself rejected with 403."""
    activity.record_denials(session, body.requests)


@router.post(LAST_USED_PATH, status_code=204, dependencies=[INTERNAL])
async def record_last_used(body: LastUsedReport, session: Session) -> None:
    """When sessions and API keys were last used."""
    await activity.record_last_used(session, body.sessions)
