"""The exchange over HTTP, for the gateway alone."""

from fastapi import APIRouter, Response

from stockbuddy.auth.exchange.commands import exchange_api_key, exchange_cookie
from stockbuddy.auth.exchange.schemas import ExchangedToken, ExchangeToken
from stockbuddy.auth.sessions.cookies import csrf_token
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.http.authentication import PUBLIC

router = APIRouter(prefix="/internal", include_in_schema=False)


@router.post("/token-exchange", dependencies=[PUBLIC])
async def exchange_token(
    body: ExchangeToken, response: Response, session: ReadSession, keys: Keys, settings: Settings
) -> ExchangedToken:
    """A short access token for an API key or for the cookie of a browser session; 401 when it does not work."""
    lifetime_seconds = settings.exchanged_token_seconds
    forbid_caching(response)
    if body.api_key is not None:
        done = await exchange_api_key(session, keys, body.api_key, lifetime_seconds=lifetime_seconds)
        return ExchangedToken(access_token=done.access_token, expires_in=done.expires_in_seconds)
    cookie = body.session_cookie or ""
    done = await exchange_cookie(session, keys, cookie, lifetime_seconds=lifetime_seconds)
    return ExchangedToken(
        access_token=done.access_token, expires_in=done.expires_in_seconds, csrf_token=csrf_token(cookie)
    )
