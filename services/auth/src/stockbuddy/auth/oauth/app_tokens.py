"""Tokens for apps: the grant types authorization_code, device_code and refresh_token of the token endpoint."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.grant_commands import IssuedGrant, ScopeExceeded, refresh_grant
from stockbuddy.auth.apps.model import App
from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.oauth.client_authentication import authenticate_app, parse_app_id
from stockbuddy.auth.oauth.codes import exchange_code
from stockbuddy.auth.oauth.devices import poll
from stockbuddy.auth.oauth.errors import InvalidGrant, InvalidScope, OAuthError, UnauthorizedClient
from stockbuddy.auth.oauth.requests import TokenRequest
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.chassis.access.permissions import sorted_names

AUTHORIZATION_CODE = "authorization_code"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_TOKEN = "refresh_token"
GRANT_TYPES = ("password", "client_credentials", REFRESH_TOKEN, AUTHORIZATION_CODE, DEVICE_CODE)
"""All that the token endpoint supports."""


class AppTokenResponse(BaseModel):
    """The tokens of an app. `scope`: what the access token allows at the moment. The refresh token is valid once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    refresh_token: str
    scope: str


def is_for_app(form: TokenRequest, grant_type: str) -> bool:
    """Sessions are refreshed with the same grant type, by clients that do not name themselves."""
    if grant_type == REFRESH_TOKEN:
        return parse_app_id(form.client_id) is not None
    return grant_type in (AUTHORIZATION_CODE, DEVICE_CODE)


async def issue_app_token(form: TokenRequest, grant_type: str, services: AuthServices) -> AppTokenResponse:
    """Raises OAuthError, after what a rejected request changed was committed."""
    async with services.database.transaction() as session:
        app = await authenticate_app(session, form)
        issued = await _GRANTS[grant_type](session, app, form, services.settings)
    if isinstance(issued, OAuthError):
        raise issued
    if issued is None:
        raise InvalidGrant(f"The {_SECRETS[grant_type]} is invalid, expired or used.")
    return _to_response(issued, services)


async def _by_code(
    session: AsyncSession, app: App, form: TokenRequest, settings: AuthSettings
) -> IssuedGrant | OAuthError | None:
    code, redirect_uri, verifier = (form.require(name) for name in ("code", "redirect_uri", "code_verifier"))
    return await exchange_code(session, app, code, settings, redirect_uri=redirect_uri, code_verifier=verifier)


async def _by_device_code(
    session: AsyncSession, app: App, form: TokenRequest, settings: AuthSettings
) -> IssuedGrant | OAuthError | None:
    if not app.allows_device_flow:
        return UnauthorizedClient()
    return await poll(session, app, form.require("device_code"), settings)


async def _by_refresh_token(
    session: AsyncSession, app: App, form: TokenRequest, settings: AuthSettings
) -> IssuedGrant | OAuthError | None:
    try:
        return await refresh_grant(session, app, form.require("refresh_token"), settings, form.scopes)
    except ScopeExceeded:
        return InvalidScope()


_GRANTS = {AUTHORIZATION_CODE: _by_code, DEVICE_CODE: _by_device_code, REFRESH_TOKEN: _by_refresh_token}
_SECRETS = {AUTHORIZATION_CODE: "code", DEVICE_CODE: "device code", REFRESH_TOKEN: "refresh token"}


def _to_response(issued: IssuedGrant, services: AuthServices) -> AppTokenResponse:
    lifetime_seconds = services.settings.access_token_seconds
    user = issued.user
    principal = issued.rights.to_principal(user.id, user.username, issued.grant.sid, lifetime_seconds=lifetime_seconds)
    return AppTokenResponse(
        access_token=services.signing_keys.sign(replace(principal, client_id=issued.app.client_id)),
        expires_in=lifetime_seconds,
        refresh_token=issued.refresh_token,
        scope=" ".join(sorted_names(issued.rights.permissions)),
    )
