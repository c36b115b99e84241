"""HTTP of single sign-on, for browsers: the responses are redirects."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from stockbuddy.auth.crypto import create_secret
from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import EmailTaken, SecondFactorRequired, SecondFactorSetupRequired, UsernameTaken
from stockbuddy.auth.factors.relying_party import RelyingParty
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.identity_providers.client import ProviderClient
from stockbuddy.auth.identity_providers.errors import ProviderUnavailable, SignInFailed
from stockbuddy.auth.logins.challenges import create_challenge_if_required
from stockbuddy.auth.oauth.visitors import set_challenge
from stockbuddy.auth.oidc import sign_ins
from stockbuddy.auth.oidc.browser_routes import BrowserRoute, StrictBrowserRoute, redirect_browser
from stockbuddy.auth.oidc.errors import (
    AccountInactive,
    EmailNotConfirmed,
    EmailNotVerified,
    NoRole,
    ProviderNotFound,
    SignInNotStarted,
    UnknownAccount,
)
from stockbuddy.auth.oidc.schemas import FinishSignIn, ProviderList, ProviderResponse, StartSignIn
from stockbuddy.auth.oidc.users import apply_role, find_or_register_user
from stockbuddy.auth.sessions.browser_responses import to_browser_session
from stockbuddy.auth.sessions.commands import create_browser_session
from stockbuddy.auth.sessions.cookies import cookies_for
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.errors import Problem, raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.runtime.event_context import current_event_context

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)
start_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictBrowserRoute)
callback_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=BrowserRoute)
"""Providers add parameters of their own, which a client ignores (RFC 6749 §4.1.2)."""

SIGN_IN_COOKIE = "oidc_sign_in"


def redirect_to(target: str) -> dict[int | str, dict[str, Any]]:
    """The description of a redirect, for the OpenAPI document."""
    location = {"description": f"The URL of {target}.", "schema": {"type": "string"}}
    return {303: {"description": f"Sends the browser to {target}.", "headers": {"Location": location}}}


@router.get("/providers", dependencies=[PUBLIC])
async def list_providers(services: Services) -> ProviderList:
    """List the identity providers.

    Where users can sign in with an account that they have elsewhere (OpenID Connect), in the order of the server's
    settings: what a login page offers besides the password. Empty without single sign-on.
    """
    providers = [client.provider for client in services.oidc.values()]
    return ProviderList(
        items=[
            ProviderResponse(
                name=provider.name,
                title=provider.title,
                start_url=f"{services.settings.public_url}/api/v1/auth/oidc/{provider.name}/start",
            )
            for provider in providers
        ]
    )


@start_router.get(
    "/oidc/{provider}/start",
    dependencies=[PUBLIC],
    status_code=303,
    response_class=RedirectResponse,
    responses=redirect_to("the login page of the identity provider"),
)
@raises(ProviderNotFound, ProviderUnavailable)
async def request_sign_in(
    provider: str, request: Request, services: Services, query: Annotated[StartSignIn, Query()]
) -> Response:
    """Sign in at an identity provider.

    Open this path as a page, not with a script: the response sends the browser to the provider and sets a cookie with
    which `GET /auth/oidc/{provider}/callback` recognises it. The sign-in must be complete within ten minutes.
    A browser (`Accept: text/html`) for which this fails is sent to the login page, with `#code=` and the problem's
    code.
    """
    client = _get_client(services, provider)
    redirect_uri = _redirect_uri(services, client)
    started = await sign_ins.start_sign_in(
        services.database, client, services.secret_box, redirect_uri=redirect_uri, return_to=query.return_to
    )
    response = redirect_browser(started.authorization_url)
    cookies = cookies_for(request, services.settings)
    response.set_cookie(
        SIGN_IN_COOKIE,
        started.browser_secret,
        max_age=int(sign_ins.SIGN_IN_LIFETIME.total_seconds()),
        path=cookies.path,
        httponly=True,
        samesite="lax",
        secure=cookies.secure,
    )
    return response


@callback_router.get(
    "/oidc/{provider}/callback",
    dependencies=[PUBLIC],
    status_code=303,
    response_class=RedirectResponse,
    responses=redirect_to("the page of this site where the sign-in began"),
)
@raises(
    ProviderNotFound,
    ProviderUnavailable,
    SignInNotStarted,
    SignInFailed,
    EmailNotVerified,
    EmailNotConfirmed,
    UnknownAccount,
    NoRole,
    AccountInactive,
    UsernameTaken,
    EmailTaken,
)
async def complete_sign_in(
    provider: str,
    request: Request,
    services: Services,
    query: Annotated[FinishSignIn, Query()],
    user_agent: UserAgent = None,
) -> Response:
    """Complete a sign-in at an identity provider.

    The provider sends the browser here. An identity belongs to the user with its verified e-mail address. If there is
    no such user, one is registered if the settings of the provider allow it. Creates a browser session, as
    `POST /auth/session` does, and redirects to `return_to`. If the user needs a second factor, the fragment of the
    location has the `code` of the problem and the `challenge` for `POST /auth/login/second-factor`, and there is no
    session yet. A browser (`Accept: text/html`) whose sign-in fails is sent to the login page, with `#code=` and the
    problem's code in place of the problem.
    """
    client = _get_client(services, provider)
    verified = await _verify(client, services, request, query)
    location = services.settings.public_url + verified.return_to
    signed_in = await _sign_in(client, services, verified, user_agent)
    if isinstance(signed_in, Problem):
        response = redirect_browser(location + _fragment(signed_in))
        if isinstance(signed_in, SecondFactorRequired):
            # For the pages of apps, which have no scripts to read the fragment.
            set_challenge(response, cookies_for(request, services.settings), signed_in.extra["challenge"])
        return response
    user, created = signed_in
    response = redirect_browser(location)
    to_browser_session(request, response, services.settings, user, created)
    response.delete_cookie(SIGN_IN_COOKIE, path=cookies_for(request, services.settings).path)
    return response


async def _sign_in(
    client: ProviderClient, services: AuthServices, verified: sign_ins.VerifiedSignIn, user_agent: str | None
) -> tuple[User, tuple[LoginSession, str]] | SecondFactorRequired | SecondFactorSetupRequired:
    """The user and the new session with its cookie, or the second factor that is required."""
    unusable_hash = await services.hasher.hash(create_secret())
    settings, provider, claims = services.settings, client.provider, verified.claims
    async with services.database.transaction() as session:
        user = await find_or_register_user(session, provider, claims, unusable_hash)
        await apply_role(session, provider, claims, user, settings)
        if not provider.is_second_factor:
            relying_party = RelyingParty(settings.public_url)
            if challenge := await create_challenge_if_required(session, user, relying_party, with_cookie=True):
                return challenge
        factor = "provider" if provider.is_second_factor else None
        created = await create_browser_session(
            session, user, settings, user_agent=user_agent, method="oidc", second_factor=factor
        )
    return user, created


@router.get(
    "/oidc/{provider}/logout",
    dependencies=[PUBLIC],
    status_code=303,
    response_class=RedirectResponse,
    responses=redirect_to("the page of the identity provider that ends its session, or this site"),
)
@raises(ProviderNotFound, ProviderUnavailable)
async def request_provider_logout(provider: str, services: Services) -> Response:
    """Log out of an identity provider.

    Open this path as a page after `DELETE /auth/session`, which ends only the session here: the provider ends its own
    and returns the browser to this site. If it does not offer that, the browser returns at once.
    """
    url = await _get_client(services, provider).logout_url(services.settings.public_url)
    return redirect_browser(url or services.settings.public_url)


async def _verify(
    client: ProviderClient, services: AuthServices, request: Request, query: FinishSignIn
) -> sign_ins.VerifiedSignIn:
    """The sign-in is used up whatever the provider answered."""
    browser_secret = request.cookies.get(SIGN_IN_COOKIE)
    async with services.database.transaction() as session:
        started = await sign_ins.claim_sign_in(session, client, state=query.state, browser_secret=browser_secret)
    try:
        sign_ins.require_issuer(client, query.iss)
        if query.error is not None or query.code is None:
            raise SignInFailed()
        redirect_uri = _redirect_uri(services, client)
        return await sign_ins.verify_sign_in(
            client, started, query.code, services.secret_box, redirect_uri=redirect_uri
        )
    except SignInFailed:
        async with services.database.transaction() as session:
            sign_ins.record_failure(session, services.failed_logins, current_event_context().client_ip)
        raise


def _get_client(services: AuthServices, name: str) -> ProviderClient:
    try:
        return services.oidc[name]
    except KeyError as error:
        raise ProviderNotFound() from error


def _redirect_uri(services: AuthServices, client: ProviderClient) -> str:
    """Each provider has its own, so that a response of another one is recognised."""
    return f"{services.settings.public_url}/api/v1/auth/oidc/{client.provider.name}/callback"


def _fragment(challenge: SecondFactorRequired | SecondFactorSetupRequired) -> str:
    """Fragments reach neither servers nor logs."""
    return f"#code={challenge.code}&challenge={challenge.extra['challenge']}"
