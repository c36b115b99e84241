"""HTTP of the OAuth2 token endpoint."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import (
    HashingOverloaded,
    InvalidApiKey,
    InvalidCredentials,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    TooManyAttempts,
    TooManyPasswords,
)
from stockbuddy.auth.fields import MAX_EMAIL_LENGTH, MAX_LOGIN_PASSWORD_LENGTH, UserAgent
from stockbuddy.auth.logins.authenticator import Authenticator, PasswordAuthenticator
from stockbuddy.auth.logins.schemas import FORM
from stockbuddy.auth.oauth.app_tokens import (
    GRANT_TYPES,
    AppTokenResponse,
    is_for_app,
    issue_app_token,
)
from stockbuddy.auth.oauth.client_authentication import parse_app_id
from stockbuddy.auth.oauth.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredDeviceCode,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    SlowDown,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from stockbuddy.auth.oauth.requests import TokenForm, TokenRequest
from stockbuddy.auth.sessions.commands import create_session, refresh_session
from stockbuddy.auth.sessions.schemas import TokenPairResponse
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.auth.token_exchange import exchange_api_key
from stockbuddy.chassis.fields import MAX_ID
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.contracts.auth import ApiKeyAuthenticated

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)


class ClientTokenResponse(BaseModel):
    """An access token without a refresh token: the client authenticates again instead."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


def _token_body() -> dict[str, Any]:
    names = ("username", "password", "refresh_token", "code", "redirect_uri", "code_verifier", "device_code")
    common = ("client_id", "client_secret", "scope")
    properties: dict[str, Any] = {name: {"type": "string"} for name in ("grant_type", *names, *common)}
    properties["grant_type"]["enum"] = list(GRANT_TYPES)
    schema = {"title": "TokenRequest", "type": "object", "required": ["grant_type"], "properties": properties}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


@router.post("/token", dependencies=[PUBLIC], openapi_extra=_token_body())
@raises(
    InvalidRequest,
    InvalidClient,
    UnsupportedGrantType,
    UnauthorizedClient,
    InvalidGrant,
    InvalidScope,
    AuthorizationPending,
    SlowDown,
    AccessDenied,
    ExpiredDeviceCode,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    TooManyAttempts,
    HashingOverloaded,
    TooManyPasswords,
)
async def issue_token(
    form: TokenForm, response: Response, authenticator: Authenticator, services: Services, user_agent: UserAgent = None
) -> TokenPairResponse | AppTokenResponse | ClientTokenResponse:
    """Issue a token by OAuth2.

    The token endpoint of RFC 6749. Apps use `authorization_code` with PKCE, the device flow and `refresh_token`, with
    their `client_id`, and a confidential one with its secret. API keys use `client_credentials`: their id and their
    secret. The secret may be in the form or sent by HTTP Basic. Own clients use `password`, and `refresh_token` without
    a `client_id`. Errors also have the members `error` and `error_description`. If a user needs a second factor, the
    grant `password` returns the same problems as `POST /auth/login`.
    """
    grant_type = form.require("grant_type")
    if grant_type not in GRANT_TYPES:
        raise UnsupportedGrantType()
    forbid_caching(response)
    response.headers["Pragma"] = "no-cache"
    if is_for_app(form, grant_type):
        return await issue_app_token(form, grant_type, services)
    if grant_type == "password":
        return await _grant_by_password(form, authenticator, services, user_agent)
    if grant_type == "refresh_token":
        return await _grant_by_refresh_token(form, services)
    return await _grant_to_client(form, services)


async def _grant_by_password(
    form: TokenRequest, authenticator: PasswordAuthenticator, services: AuthServices, user_agent: str | None
) -> TokenPairResponse:
    username, password = form.require("username"), form.require("password")
    if len(username) > MAX_EMAIL_LENGTH or len(password) > MAX_LOGIN_PASSWORD_LENGTH:
        raise InvalidRequest("A parameter is too long.")
    try:
        async with authenticator.authenticate(username, password) as (session, user):
            created = await create_session(session, user, services.settings, user_agent=user_agent)
    except InvalidCredentials as error:
        raise InvalidGrant(error.detail) from error
    except (SecondFactorRequired, SecondFactorSetupRequired) as error:
        error.extra |= {"error": error.code, "error_description": error.detail}
        raise
    return to_token_pair(created, services)


async def _grant_by_refresh_token(form: TokenRequest, services: AuthServices) -> TokenPairResponse:
    refresh_token = form.require("refresh_token")
    async with services.database.transaction() as session:
        refreshed = await refresh_session(session, refresh_token, services.settings)
    if refreshed is None:
        raise InvalidGrant("The refresh token is invalid or expired.")
    return to_token_pair(refreshed, services)


async def _grant_to_client(form: TokenRequest, services: AuthServices) -> ClientTokenResponse:
    client_id, secret = form.client or ("", "")
    if parse_app_id(client_id) is not None:
        raise UnauthorizedClient()
    key_id = _parse_key_id(client_id)
    try:
        async with services.database.reading() as session:
            lifetime_seconds = services.settings.access_token_seconds
            exchanged = await exchange_api_key(
                session, services.signing_keys, secret, lifetime_seconds=lifetime_seconds, key_id=key_id
            )
    except InvalidApiKey as error:
        raise InvalidClient() from error
    set_actor(exchanged.user.id, exchanged.user.username)
    async with services.database.transaction() as session:
        outbox.add(session, ApiKeyAuthenticated(api_key_id=key_id, owner_id=exchanged.user.id))
    return ClientTokenResponse(access_token=exchanged.access_token, expires_in=exchanged.expires_in)


def _parse_key_id(client_id: str) -> int:
    """Raises InvalidClient."""
    # Limited before the conversion: int() takes quadratic time.
    if client_id.isdecimal() and client_id.isascii() and 0 < (key_id := int(client_id[:20])) <= MAX_ID:
        return key_id
    raise InvalidClient()
