"""HTTP of the token endpoint."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from stockbuddy.auth.errors import InvalidApiKey, InvalidCredentials
from stockbuddy.auth.token_exchange import exchange_api_key
from stockbuddy.auth.fields import LARGEST_ID, LONGEST_EMAIL
from stockbuddy.auth.logins.schemas import FORM, LONGEST_TYPED_PASSWORD
from stockbuddy.auth.logins.authenticator import Door, Doorkeeper
from stockbuddy.auth.oauth.errors import InvalidClient, InvalidGrant, InvalidRequest, UnsupportedGrantType
from stockbuddy.auth.oauth.requests import TokenForm, TokenRequest
from stockbuddy.auth.sessions.commands import open_session, refresh_session
from stockbuddy.auth.sessions.schemas import TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import AuthSettings, Settings
from stockbuddy.auth.signing.keys import Keys, SigningKeys
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.messaging.event_context import set_actor
from stockbuddy.contracts.auth import ApiKeyAuthenticated

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=APIRoute)

GRANTS = ("password", "refresh_token", "client_credentials")


class ClientToken(BaseModel):
    """What a client gets that acts for itself: it asks again instead of refreshing."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


def _token_body() -> dict[str, Any]:
    names = ("grant_type", "username", "password", "refresh_token", "client_id", "client_secret", "scope")
    properties: dict[str, Any] = {name: {"type": "string"} for name in names}
    properties["grant_type"]["enum"] = list(GRANTS)
    schema = {"type": "object", "required": ["grant_type"], "properties": properties}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


@router.post("/token", dependencies=[PUBLIC], openapi_extra=_token_body())
async def issue_token(
    form: TokenForm, request: Request, response: Response, door: Door, keys: Keys, settings: Settings
) -> TokenPair | ClientToken:
    """OAuth2's token endpoint (RFC 6749): grants `password`, `refresh_token` and `client_credentials`, the client
    being an API key with its id and its secret."""
    grant_type = form.required("grant_type")
    if grant_type not in GRANTS:
        raise UnsupportedGrantType()
    database: Database = request.app.state.database
    forbid_caching(response)
    response.headers["Pragma"] = "no-cache"
    if grant_type == "password":
        return await _by_password(form, door, keys, settings, user_agent=request.headers.get("user-agent"))
    if grant_type == "refresh_token":
        return await _by_refresh_token(form, database, keys, settings)
    return await _by_client(form, database, keys, settings)


async def _by_password(
    form: TokenRequest, door: Doorkeeper, keys: SigningKeys, settings: AuthSettings, *, user_agent: str | None
) -> TokenPair:
    username, password = form.required("username"), form.required("password")
    if len(username) > LONGEST_EMAIL or len(password) > LONGEST_TYPED_PASSWORD:
        raise InvalidRequest("A parameter is too long.")
    try:
        async with door.admitting(username, password) as (session, user):
            opened = await open_session(session, user, settings, user_agent=user_agent)
    except InvalidCredentials as error:
        raise InvalidGrant(error.detail) from error
    return token_pair(opened, keys, settings)


async def _by_refresh_token(
    form: TokenRequest, database: Database, keys: SigningKeys, settings: AuthSettings
) -> TokenPair:
    refresh_token = form.required("refresh_token")
    async with database.transaction() as session:
        opened = await refresh_session(session, refresh_token, settings)
    if opened is None:
        raise InvalidGrant("The refresh token is not valid, or no longer.")
    return token_pair(opened, keys, settings)


async def _by_client(form: TokenRequest, database: Database, keys: SigningKeys, settings: AuthSettings) -> ClientToken:
    client_id, secret = form.client or ("", "")
    if not client_id.isdecimal() or not client_id.isascii() or not 0 < int(client_id[:20]) <= LARGEST_ID:
        raise InvalidClient()
    key_id = int(client_id[:20])
    try:
        async with database.reading() as session:
            done = await exchange_api_key(
                session, keys, secret, lifetime_seconds=settings.access_token_seconds, key_id=key_id
            )
    except InvalidApiKey as error:
        raise InvalidClient() from error
    set_actor(done.user.id, done.user.username)
    async with database.transaction() as session:
        outbox.add(session, ApiKeyAuthenticated(api_key_id=key_id, owner_id=done.user.id))
    return ClientToken(access_token=done.access_token, expires_in=done.expires_in_seconds)
